import type { CommandModule } from 'yargs';
import { EXIT } from '../../core/errors.ts';
import { commonOptions, print } from './console.ts';

interface ReplayArgs {
  journal: string;
  json: boolean;
  quiet: boolean;
}

/** `foresize replay JOURNAL`: whether the core decides again what the daemon decided. */
export const replayCommand: CommandModule<object, ReplayArgs> = {
  command: 'replay <journal>',
  describe: 'Feed a journal to the core and compare its decisions, byte for byte',
  builder: (yargs) =>
    yargs
      .positional('journal', { type: 'string', demandOption: true, describe: 'Folder of the journal.' })
      .options(commonOptions) as never,
  handler: async (args) => {
    const { Journal } = await import('../store/journal.ts');
    const { replay } = await import('../replay.ts');
    const journal = Journal.attach(args.journal, false);
    try {
      const report = await replay(journal);
      print(args.json ? JSON.stringify(report) : text(report));
      if (report.firstDifference) process.exitCode = EXIT.runtime;
    } finally {
      await journal.close();
    }
  },
};

function text(report: import('../replay.ts').ReplayReport): string {
  const { sessions, ticks, same, decisions, cutShort, firstDifference, recordedSha256, replayedSha256 } =
    report;
  const share = ticks === 0 ? 100 : (100 * same) / ticks;
  const lines = [
    `${same} of ${ticks} ticks are the same (${share.toFixed(2)} %): ${decisions} decisions in ${sessions} sessions`,
    `decision log  recorded ${recordedSha256}`,
    `              replayed ${replayedSha256}`,
    `decided by    ${report.codeVersions.join(', ')}`,
  ];
  if (cutShort > 0) lines.push(`${cutShort} ticks were cut short by a kill before anything was decided`);
  if (firstDifference) {
    const { tick, at, recorded, replayed } = firstDifference;
    lines.push(
      `first difference: tick ${tick}, ${new Date(at).toISOString()}`,
      ...recorded.map((line) => `  recorded  ${line}`),
      ...replayed.map((line) => `  replayed  ${line}`),
    );
  }
  return lines.join('\n');
}
