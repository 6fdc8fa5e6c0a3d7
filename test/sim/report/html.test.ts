import { describe, expect, test } from 'vitest';
import { htmlReport } from '../../../sim/report/html.ts';
import { inlineScript } from '../../../sim/report/page/assets.ts';
import { html, raw, scriptJson } from '../../../sim/report/page/markup.ts';
import { fixtureComparison } from './fixture.ts';

describe('htmlReport', () => {
  const comparison = fixtureComparison();
  const page = htmlReport(comparison);

  test('is one file of at most 3 MB that asks nothing of the network', () => {
    expect(Buffer.byteLength(page)).toBeLessThan(3_000_000);
    // Booleans, so that a failure does not print the page.
    const markup = page.replace(/<script>[\s\S]*?<\/script>/g, '');
    expect(/<(script|img|iframe)[^>]*\ssrc=/.test(markup)).toBe(false);
    expect(/<link[^>]*href="(?!data:)/.test(markup)).toBe(false);
    expect(/@import|url\(/.test(markup)).toBe(false);
    expect(page.includes('sourceMappingURL')).toBe(false);
  });

  test('is the same for the same result', () => {
    expect(htmlReport(comparison) === page).toBe(true);
  });

  test('tells where it comes from and what it is not', () => {
    for (const text of [
      'not money saved',
      comparison.description,
      'Decision SHA-256',
      comparison.id,
      'baseline: static',
    ])
      expect(page.includes(text), text).toBe(true);
    for (const run of comparison.runs) expect(page.includes(run.decisions.sha256)).toBe(true);
  });

  test('a scenario cannot end a script or become markup', () => {
    const evil = { ...comparison, name: '<img src=x onerror=alert(1)>', scenarioYaml: 'a: "</script><b>"' };
    const text = htmlReport(evil);
    expect(text.includes('<img src=x')).toBe(false);
    expect(text.match(/<\/script>/g)).toHaveLength(5); // data, three of Vega, one that starts it
  });
});

test('html escapes what it is given, joins lists, leaves out null', () => {
  expect(html`<p title="${'"&\''}">${'<b>'}${[1, null, raw('<i>')]}${undefined}</p>`.text).toBe(
    '<p title="&quot;&amp;&#39;">&lt;b&gt;1<i></p>',
  );
});

test('scriptJson and inlineScript leave nothing that ends the element', () => {
  expect(scriptJson({ a: '</script>\u2028' }).text).toBe('{"a":"\\u003c/script>\\u2028"}');
  expect(inlineScript('x="</script>";\n//# sourceMappingURL=x.map\n')).toBe('x="<\\/script>";');
});
