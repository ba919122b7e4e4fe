/**
 * Why a layer that may be perfectly good has to be fetched whole before it can
 * be used. It never reaches a user: whoever wanted to be quick pulls as always.
 */
export class CannotBeLazy extends Error {
  override readonly name = 'CannotBeLazy';
}
