/** Data for the user or the next program: stdout. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Options every verb has. */
export const commonOptions = {
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON on stdout.' },
  quiet: { type: 'boolean', default: false, describe: 'No progress and no remarks on stderr.' },
} as const;
