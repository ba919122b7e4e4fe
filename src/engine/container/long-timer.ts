/** Timers of any length. The platform's own take 2^31 - 1 milliseconds, not quite 25 days: a longer one is over at once. */

/** HTML, section 8.6: the time of a timer is a signed number of 32 bits. */
const LONGEST = 2 ** 31 - 1;

/** Calls back after so many milliseconds, never for Infinity. Returns what prevents that. */
export function startTimer(callback: () => void, milliseconds: number): () => void {
  let left = milliseconds;
  let timer: ReturnType<typeof setTimeout>;
  const wait = () => {
    const time = Math.min(left, LONGEST);
    left -= time;
    timer = setTimeout(left > 0 ? wait : callback, time);
  };
  wait();
  return () => clearTimeout(timer);
}
