/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of src/render/assets as NUL-terminated texts, which the build
 * makes of them.  Plain ASCII.
 */
#ifndef AMGR_ASSETS_H
#define AMGR_ASSETS_H

extern const char amgr_asset_page_css[];
extern const char amgr_asset_page_js[];

/** A checksum of all of them, in digits, for their addresses. */
extern const char amgr_assets_version[];

#endif
