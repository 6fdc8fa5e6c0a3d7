import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { committed, FOLDER, faults, NOTEBOOKS } from './notebooks.ts';

describe.each(NOTEBOOKS)('%s', (name) => {
  it('is committed with what its cells gave', () => {
    expect(faults(committed(name))).toEqual([]);
    expect(statSync(join(FOLDER, name)).size).toBeLessThan(300_000);
  });
});
