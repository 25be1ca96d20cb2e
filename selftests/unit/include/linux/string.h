/* SPDX-License-Identifier: GPL-2.0 */
/* User-space stand-in: the C library has what the Conductor uses. */
#include <string.h>
