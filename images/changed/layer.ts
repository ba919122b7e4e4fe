/** The layer of `layerbox/changed`: one of everything that a layer can do to what lies below it. */

import { LayerTree } from '../layer-tree.ts';

const DOCUMENTS = 'usr/share/doc/busybox-static';
const OWNER = { uid: 1000, gid: 1000 };

export function changesLayer(): LayerTree {
  return (
    new LayerTree()
      // a name of a hard link deleted: its other names stay
      .dir('bin')
      .whiteout('bin/vi')
      // a directory deleted
      .dir('var')
      .whiteout('var/www')
      // a directory emptied and filled anew: nothing of below shows
      .dir('usr')
      .dir('usr/share')
      .dir('usr/share/doc')
      .dir(DOCUMENTS)
      .opaque(DOCUMENTS)
      .file(`${DOCUMENTS}/README`, 'The copyright is in /usr/share/doc/busybox-static of the image below.\n')
      // a file deleted and a directory put in its place
      .dir('etc')
      .dir('etc/shells')
      .file('etc/shells/default', '/bin/sh\n')
      // contents changed; only the mode changed, which takes the whole file all the same
      .file('etc/motd', 'This message comes from the second layer. The first one is still below it.\n')
      .file(
        'etc/os-release',
        'PRETTY_NAME="BusyBox 1.35.0, changed"\nNAME="BusyBox"\nID=busybox\nVERSION_ID="1.35.0"\n',
        {
          mode: 0o600,
        },
      )
      .dir('srv', OWNER)
      .dir('srv/releases', { ...OWNER, mode: 0o2775 })
      .dir('srv/releases/1', OWNER)
      .file('srv/releases/1/version', 'one\n', OWNER)
      .dir('srv/releases/2', OWNER)
      .file('srv/releases/2/version', 'two\n', OWNER)
      // relative, absolute, and one that leads nowhere
      .symlink('srv/current', 'releases/2', OWNER)
      .symlink('srv/absolute', '/srv/releases/1', OWNER)
      .symlink('srv/nowhere', '/does/not/exist', OWNER)
      // two names of one file
      .file('srv/ledger', 'Both names are one file.\n', OWNER)
      .hardlink('srv/ledger.again', 'srv/ledger')
      // times finer than a second, one before 2000
      .file('srv/fine', 'Touched at a time with nine decimals.\n', { mtimeNs: 1_700_000_000_123_456_789n })
      .file('srv/old', 'From the last century.\n', { mtimeNs: 915_148_799_999_999_999n })
      .dir('usr/local')
      .dir('usr/local/bin')
      .file(
        'usr/local/bin/who-am-i',
        '#!/bin/sh\n# setuid says nothing for a script: the kernel ignores it\nid\n',
        {
          mode: 0o4755,
        },
      )
      .file('srv/labelled', 'It has an extended attribute.\n', {
        xattrs: { 'user.comment': 'from the layer' },
      })
      .fifo('srv/pipe', { mode: 0o622 })
      .file('srv/na\u00efve \u2713', 'A name that is not ASCII.\n')
  );
}
