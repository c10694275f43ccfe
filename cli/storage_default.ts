import { serviceSchema } from '../core/config/service_options.ts';

/** Where an agent keeps its files when the pipeline file says nothing. */
export const storageDefault: string = serviceSchema.properties['storage.path'].default;
