/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the page up to date in place.
 */
"use strict";
