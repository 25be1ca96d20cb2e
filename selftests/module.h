/* SPDX-License-Identifier: GPL-2.0 */
/* Loading and unloading the module, for the programs whose tests do. */
#ifndef _CATS_MODULE_H
#define _CATS_MODULE_H

int module_load(void);
int module_load_file(const char *file);
int module_unload_named(const char *name);
int module_unload_soon_named(const char *name);
int module_unload(void);
int module_unload_soon(void);

#endif /* _CATS_MODULE_H */
