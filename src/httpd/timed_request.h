/* SPDX-License-Identifier: Apache-2.0
 *
 * A request with a time limit, in the child that serves it: it notes for the
 * parent which limit it obeys, and when its time stands still because the
 * client is at work.  Nothing of this is installed while ManagerMaxTime is set
 * nowhere, and ManagerEndlessGracePeriod is not either.
 *
 * Three filters tell when the server only waits for the client: one above the
 * connection on the way in (the body is being received), one on the way out
 * (the answer is being sent), and one on the connection itself, for a request
 * that asks for another protocol, which sees the first bytes after the switch.
 */
#ifndef AMGR_TIMED_REQUEST_H
#define AMGR_TIMED_REQUEST_H

/** Register hooks and filters, while the configuration is read. */
void amgr_timed_request_install(void);

#endif
