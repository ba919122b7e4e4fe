/** version attach walk clunk: how fids come and go. */

import { FsError } from '../../engine/unionfs/errno.ts';
import type { Node } from './export-root.ts';
import { LISTS_VERSION } from './listing.ts';
import { type Handlers, MAX_MSIZE, qidOfNode } from './session.ts';
import type { Qid } from './wire.ts';
import { commitXattr } from './xattrs.ts';

const VERSION = '9P2000.L';
const MIN_MSIZE = 4096;
/** P9_NONUNAME: the client names no user. */
const NO_USER = 0xffffffff;

export const walking: Handlers<'version' | 'attach' | 'walk' | 'clunk'> = {
  /** Begins a session: all fids of the one before are given back (version(5)). */
  version(session, { msize, version }) {
    if (msize < MIN_MSIZE) throw new FsError('EINVAL', `msize ${msize}`);
    session.fids.clear();
    session.msize = Math.min(msize, MAX_MSIZE);
    session.speaksLists = version === LISTS_VERSION;
    const isKnown = session.speaksLists || version === VERSION;
    return { msize: session.msize, version: isKnown ? version : 'unknown' };
  },

  attach(session, { fid, tree, uid }) {
    if (tree !== '' && tree !== '/') throw new FsError('ENOENT', tree);
    session.fids.checkFree(fid);
    const node = session.export.root;
    session.fids.set(fid, { node, uid: uid === NO_USER ? 0 : uid });
    return { qid: qidOfNode(node) };
  },

  /** walk(5): an error for the first name is one; a later one ends the walk early, and no fid is made. */
  walk(session, { fid: number, newFid, names }) {
    const fid = session.file(number);
    if (newFid !== number) session.fids.checkFree(newFid);
    let node = fid.node;
    let reached = fid.reached;
    const qids: Qid[] = [];
    for (const name of names) {
      try {
        const next: Node = session.export.step(node, name);
        qids.push(qidOfNode(next));
        reached = name === '.' || name === '..' ? undefined : { directory: node, name };
        node = next;
      } catch (error) {
        if (qids.length === 0 || !(error instanceof FsError)) throw error;
        return { qids };
      }
    }
    session.fids.set(newFid, { node, uid: fid.uid, ...(reached === undefined ? {} : { reached }) });
    return { qids };
  },

  /** clunk(5): the fid is gone even when this fails, as setting an extended attribute may. */
  clunk(session, { fid: number }) {
    const fid = session.fids.remove(number);
    if (fid.node.tree.isMounted) commitXattr(fid);
    return {};
  },
};
