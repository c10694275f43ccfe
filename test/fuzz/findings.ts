/** Texts that broke a promise once. */
export const findings: readonly { readonly target: string; readonly text: string }[] = [];
