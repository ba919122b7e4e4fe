/** Milliseconds of the processor's time that `act` takes in this process: what others do on the machine counts little. */
export function processorTime(act: () => void): number {
  const start = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
