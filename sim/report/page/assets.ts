import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ForesizeError } from '../../../core/errors.ts';

const require = createRequire(import.meta.url);

/** The minified builds of Vega, Vega-Lite and Vega-Embed, in the order they must run. */
export function vegaScripts(): string[] {
  return ['vega', 'vega-lite', 'vega-embed'].map((name) => {
    try {
      const path = join(dirname(require.resolve(name)), `${name}.min.js`);
      return inlineScript(readFileSync(path, 'utf8'));
    } catch (cause) {
      throw new ForesizeError(
        {
          code: 'REPORT_NO_VEGA',
          what: `The build of ${name} that goes into the page was not found.`,
          where: `node_modules/${name}/build`,
          remedy: 'Run npm install.',
        },
        1,
        cause,
      );
    }
  });
}

/** Safe inside a script element, and without the map a browser would ask the network for. */
export function inlineScript(source: string): string {
  return source
    .replace(/\/\/# sourceMappingURL=.*$/gm, '')
    .replace(/<\/script/gi, '<\\/script')
    .replace(/<!--/g, '<\\!--')
    .trim();
}
