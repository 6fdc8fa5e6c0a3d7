import { alibabaContainer, alibabaMachine } from './formats/alibaba.ts';
import { azure } from './formats/azure.ts';
import { azureWide } from './formats/azure-wide.ts';
import { bitbrains } from './formats/bitbrains.ts';
import { google2011 } from './formats/google2011.ts';
import { google2019 } from './formats/google2019.ts';
import { long } from './formats/long.ts';
import { opendc } from './formats/opendc.ts';
import { planetlab } from './formats/planetlab.ts';
import { vasim } from './formats/vasim.ts';
import { unknownFormat } from './problems.ts';
import type { TraceReader } from './reader.ts';
import type { TraceFormat } from './types.ts';

/** All readers, in the order they are listed to users. */
export const READERS: readonly TraceReader[] = [
  planetlab,
  bitbrains,
  azure,
  azureWide,
  google2011,
  google2019,
  alibabaMachine,
  alibabaContainer,
  vasim,
  opendc,
  long,
];

export function readerOf(format: TraceFormat): TraceReader {
  const reader = READERS.find((candidate) => candidate.format === format);
  if (!reader) throw unknownFormat(format, 'there is no reader of this name');
  return reader;
}
