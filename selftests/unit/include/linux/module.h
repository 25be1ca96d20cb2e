/* SPDX-License-Identifier: GPL-2.0 */
/* User-space stand-in: a test program is no module. */
#define MODULE_LICENSE(license)
#define MODULE_DESCRIPTION(text)
