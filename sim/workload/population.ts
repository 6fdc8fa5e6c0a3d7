import { parseDuration } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { Rng } from '../../core/rng.ts';
import { ARCHETYPES } from './archetypes.ts';
import { type Ingredients, ingredients } from './ingredients.ts';
import type { ApplicationConfig, PopulationConfig } from './schema.ts';

export interface Application {
  readonly id: string;
  readonly ingredients: Ingredients;
  readonly vmsPerUser: number;
}

/** What makes a user's VMs differ from those of others who run the same application. */
export interface Traits {
  /** How much later the user's cycle runs, ms. */
  readonly phaseMs: number;
  /** Swing of the cycle, load, and noise and bursts, each relative to what the application states. */
  readonly amplitude: number;
  readonly level: number;
  readonly burstiness: number;
}

/** A user of an application. Its VMs share the pair's number. */
export interface Pair {
  readonly application: number;
  readonly user: number;
  readonly traits: Traits;
}

/** Who works on the machines: applications, users, and who uses what. */
export interface Population {
  readonly applications: readonly Application[];
  readonly users: readonly string[];
  readonly pairs: readonly Pair[];
}

/** Makes the population a scenario describes. A user is the same person in every application. */
export function populate(config: PopulationConfig, seed: number): Population {
  const users: string[] = [];
  const numbers = new Map<string, number>();
  const pairs: Pair[] = [];
  const applications = config.applications.map((app, application) => {
    for (const user of usersOf(app)) {
      let number = numbers.get(user.id);
      if (number === undefined) {
        number = users.push(user.id) - 1;
        numbers.set(user.id, number);
      }
      const drawn = drawTraits(user.id, config.personality, seed);
      const traits: Traits = {
        phaseMs: user.phase === undefined ? drawn.phaseMs : parseDuration(user.phase),
        amplitude: user.amplitude ?? drawn.amplitude,
        level: user.level ?? drawn.level,
        burstiness: user.burstiness ?? drawn.burstiness,
      };
      pairs.push({ application, user: number, traits });
    }
    return { id: app.id, ingredients: ingredientsOf(app), vmsPerUser: app.vmsPerUser };
  });
  return { applications, users, pairs };
}

/** The archetype's ingredients with those the application names in their place. */
export function ingredientsOf(app: ApplicationConfig): Ingredients {
  const named = Object.keys(ingredients.shape).flatMap((key) => {
    const own = app[key as keyof Ingredients];
    return own === undefined ? [] : [[key, own] as const];
  });
  return { ...ARCHETYPES[app.archetype], ...Object.fromEntries(named) };
}

type User = Exclude<ApplicationConfig['users'], number>[number];

function usersOf({ users }: ApplicationConfig): readonly User[] {
  return typeof users === 'number' ? Array.from({ length: users }, (_, i) => ({ id: `u${i + 1}` })) : users;
}

/** Log-normal factors whose median is 1, except the load's, whose mean is 1: users add up to what is stated. */
function drawTraits(user: string, spread: PopulationConfig['personality'], seed: number): Traits {
  const rng = new Rng(seed, 'user', user);
  const z = () => rng.normal();
  return {
    phaseMs: parseDuration(spread.phase) * z(),
    amplitude: exp(spread.amplitude * z()),
    level: exp(spread.level * z() - 0.5 * spread.level * spread.level),
    burstiness: exp(spread.burstiness * z()),
  };
}
