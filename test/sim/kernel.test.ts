import { describe, expect, it } from 'vitest';
import { Kernel } from '../../sim/kernel.ts';

/** Runs a kernel to `end` and gives the log its events wrote. */
async function logOf(
  schedule: (kernel: Kernel, log: (text: string) => void) => void,
  end: number,
): Promise<string[]> {
  const kernel = new Kernel(0);
  const lines: string[] = [];
  schedule(kernel, (text) => lines.push(`${kernel.now} ${text}`));
  await kernel.run(end);
  return lines;
}

describe('kernel', () => {
  it('runs events in the order (time, priority, sequence)', async () => {
    const log = await logOf((kernel, write) => {
      kernel.at(20, 0, () => write('late'));
      kernel.at(10, 2, () => write('third'));
      kernel.at(10, 1, () => write('first'));
      kernel.at(10, 1, () => write('second'));
      kernel.at(0, 9, () => write('start'));
    }, 100);
    expect(log).toEqual(['0 start', '10 first', '10 second', '10 third', '20 late']);
  });

  it('runs an event scheduled for now after those of its instant that are due before it', async () => {
    const log = await logOf((kernel, write) => {
      kernel.at(5, 1, () => {
        write('a');
        kernel.at(5, 0, () => write('a-urgent'));
        kernel.at(5, 2, () => write('a-after'));
      });
      kernel.at(5, 1, () => write('b'));
    }, 10);
    expect(log).toEqual(['5 a', '5 a-urgent', '5 b', '5 a-after']);
  });

  it('stops before the end and keeps what is left', async () => {
    const kernel = new Kernel(0);
    const ran: number[] = [];
    for (const time of [1, 2, 3]) kernel.at(time, 0, () => void ran.push(time));
    await kernel.run(3);
    expect([ran, kernel.now, kernel.pending]).toEqual([[1, 2], 3, 1]);
    await kernel.run(4);
    expect([ran, kernel.now, kernel.pending]).toEqual([[1, 2, 3], 4, 0]);
  });

  it('waits for an asynchronous event before time goes on', async () => {
    const log = await logOf((kernel, write) => {
      kernel.at(1, 0, async () => {
        write('begins');
        await Promise.resolve();
        write('ends');
      });
      kernel.at(2, 0, () => write('next'));
    }, 10);
    expect(log).toEqual(['1 begins', '1 ends', '2 next']);
  });

  it('refuses the past', async () => {
    const kernel = new Kernel(10);
    expect(() => kernel.at(9, 0, () => {})).toThrow('cannot schedule at 9: it is 10 already');
  });
});
