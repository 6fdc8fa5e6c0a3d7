import { savingOf } from '../../../core/cost/describe.ts';
import type { Advice } from '../../../core/cost/recommendation.ts';
import type { Spec } from '../theme.ts';

/** Savings a month as points with their intervals, a line a recommendation, the combined effect last. null without any. */
export function savingsSpec(advice: Advice): Spec | null {
  const { recommendations, combined, currency } = advice;
  const rows = [
    ...recommendations.map(({ id, effect }) => ({ name: id, effect })),
    ...(combined && recommendations.length > 1 ? [{ name: 'together', effect: combined.effect }] : []),
  ].flatMap(({ name, effect }) =>
    effect.saving ? [{ name, ...effect.saving, text: savingOf(effect, advice) }] : [],
  );
  if (rows.length === 0) return null;
  const y = {
    field: 'name',
    type: 'nominal',
    sort: rows.map(({ name }) => name),
    axis: { title: null, labelLimit: 180, labelColor: '@ink' },
  };
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    scale: { zero: true },
    axis: { title: `saving a month, ${currency}`, tickCount: 5 },
  });
  const tooltip = [
    { field: 'name', type: 'nominal', title: 'Recommendation' },
    { field: 'text', type: 'nominal', title: 'Saving a month' },
  ];
  return {
    width: 'container',
    height: 30 * rows.length,
    data: { values: rows },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2, color: '@c0' },
        encoding: { y, x: x('low'), x2: { field: 'high' }, tooltip },
      },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1, color: '@c0' },
        encoding: { y, x: x('value'), tooltip },
      },
    ],
  };
}
