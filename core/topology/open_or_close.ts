/** Opens a plugin instance; one that cannot be opened leaves nothing behind. */
export async function openOrClose(instance: {
  open?(): Promise<void>;
  close?(): Promise<void>;
}): Promise<void> {
  try {
    await instance.open?.();
  } catch (error) {
    await instance.close?.().catch(() => undefined);
    throw error;
  }
}
