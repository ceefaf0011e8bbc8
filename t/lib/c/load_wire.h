/* SPDX-License-Identifier: Apache-2.0
 *
 * One non-blocking connection to a port of 127.0.0.1, plain or TLS.
 */
#ifndef AMGR_LOAD_WIRE_H
#define AMGR_LOAD_WIRE_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

typedef enum load_io_e {
    LOAD_IO_DONE = 0,
    LOAD_IO_AGAIN, /**< when the socket is ready: wants_write tells for what */
    LOAD_IO_END,   /**< the peer closed it */
    LOAD_IO_ERROR  /**< error says why */
} load_io_e;

typedef struct load_wire_t {
    int fd;   /**< -1: not open */
    SSL *ssl; /**< NULL: plain */
    int wants_write;
    int error; /**< errno; EPROTO when TLS itself failed */
} load_wire_t;

/** A context that verifies nothing, or NULL.  One per process. */
SSL_CTX *load_wire_tls(void);

/** Begin to connect; DONE or AGAIN: go on with load_wire_shake(). */
load_io_e load_wire_open(load_wire_t *wire, uint16_t port, SSL_CTX *tls);

/** Go on until connected and, with TLS, agreed on keys. */
load_io_e load_wire_shake(load_wire_t *wire);

/** At most @a size bytes; DONE with how many in @a moved, at least one. */
load_io_e load_wire_read(load_wire_t *wire, char *data, size_t size,
                         size_t *moved);
load_io_e load_wire_write(load_wire_t *wire, const char *data, size_t size,
                          size_t *moved);

/** Close it at once; harmless when it is not open. */
void load_wire_close(load_wire_t *wire);

#endif
