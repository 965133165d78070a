/** Username fragments and passwords (RFC 8445 §5.3, RFC 8839 §5.4). */
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { flag } from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomText } from '../core/random.ts';

/** One side's credentials, as its description carries them. */
export interface IceParameters {
  /** 4–256 ice-chars. */
  readonly usernameFragment: string;
  /** 22–256 ice-chars. */
  readonly password: string;
  /** The agent is lite: it answers checks and sends none. */
  readonly lite?: boolean;
  /** It takes a nomination of a greater value at any time (`a=ice-options:renomination`, draft-thatcher-ice-renomination). */
  readonly renomination?: boolean;
}

/** A username fragment and its password. */
export type IceCredentials = Pick<IceParameters, 'usernameFragment' | 'password'>;

/** Credentials of our own that the caller chooses; what is left out is random. */
export interface ChosenCredentials {
  /** 4–256 ice-chars. Its first characters may name a shard that routes to this process. */
  readonly usernameFragment?: string | undefined;
  /** 22–256 ice-chars. */
  readonly password?: string | undefined;
}

const ICE_CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** 48 bits, where 24 are required: fragments must not collide among many agents behind one socket either. */
const FRAGMENT_LENGTH = 8;
/** 144 bits, where 128 are required. */
const PASSWORD_LENGTH = 24;

/** Credentials of our own: as chosen, and random for the rest, the fragment drawn first. */
export function localParameters(
  random: RandomSource,
  { usernameFragment, password }: ChosenCredentials,
  { isLite, renomination }: { readonly isLite: boolean; readonly renomination: boolean },
): IceParameters {
  return {
    usernameFragment: usernameFragment ?? randomText(random, FRAGMENT_LENGTH, ICE_CHARS),
    password: password ?? randomText(random, PASSWORD_LENGTH, ICE_CHARS),
    lite: isLite,
    renomination,
  };
}

/** Random credentials of our own, the fragment drawn first. */
export function randomCredentials(random: RandomSource): IceCredentials {
  const { usernameFragment, password } = localParameters(random, {}, { isLite: false, renomination: false });
  return { usernameFragment, password };
}

/** A username fragment that may be one of ours: RFC 8839 §5.4 to the letter. */
export const usernameFragmentRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]{4,256}$/.test(value)) {
    throw badArgument(name, '4 to 256 ice-chars', value);
  }
};

/** A password that may be one of ours. It never appears in the message. */
export const passwordRule: OptionRule = (value, name) => {
  if (typeof value !== 'string') throw badArgument(name, '22 to 256 ice-chars', `a ${typeof value}`);
  if (!/^[A-Za-z0-9+/]{22,256}$/.test(value)) {
    throw badArgument(name, '22 to 256 ice-chars', `${value.length} characters`);
  }
};

/** What `restart` takes. */
export const CHOSEN_CREDENTIALS_RULES: OptionRules<ChosenCredentials> = {
  usernameFragment: usernameFragmentRule,
  password: passwordRule,
};

/** True if both fragment and password are the same. */
export function isSameCredentials(a: IceParameters, b: IceParameters): boolean {
  return a.usernameFragment === b.usernameFragment && a.password === b.password;
}

/**
 * The peer's credentials, judged: 4–256 and 22–256 ice-chars, or of `-`, `=`, `_` and `#` besides, which both big browsers take
 * from peers. Throws `ERR_BAD_ARGUMENT`; a password never appears in the message.
 */
export const remoteParametersRule: OptionRule = (value, name) => {
  if (typeof value !== 'object' || value === null) {
    throw badArgument(name, '{ usernameFragment, password }', value);
  }
  const { usernameFragment, password, lite, renomination } = value as Partial<
    Record<keyof IceParameters, unknown>
  >;
  if (typeof usernameFragment !== 'string' || !/^[A-Za-z0-9+/\-=_#]{4,256}$/.test(usernameFragment)) {
    throw badArgument(`${name}.usernameFragment`, '4 to 256 ice-chars', usernameFragment);
  }
  if (typeof password !== 'string' || !/^[A-Za-z0-9+/\-=_#]{22,256}$/.test(password)) {
    const shown = typeof password === 'string' ? `${password.length} characters` : `a ${typeof password}`;
    throw badArgument(`${name}.password`, '22 to 256 ice-chars', shown);
  }
  if (lite !== undefined) flag(lite, `${name}.lite`);
  if (renomination !== undefined) flag(renomination, `${name}.renomination`);
};
