/* SPDX-License-Identifier: Apache-2.0 */
#include "load_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

SSL_CTX *load_wire_tls(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (!tls)
        return NULL;
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Whether an answer is whole is told by its framing. */
    SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    return tls;
}

static load_io_e failed(load_wire_t *wire, int error)
{
    wire->error = error;
    return LOAD_IO_ERROR;
}

static load_io_e tls_result(load_wire_t *wire, int result)
{
    int error = errno;

    switch (SSL_get_error(wire->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        wire->wants_write = 0;
        return LOAD_IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        wire->wants_write = 1;
        return LOAD_IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return LOAD_IO_END;
    case SSL_ERROR_SYSCALL:
        return error ? failed(wire, error) : LOAD_IO_END;
    default:
        return failed(wire, EPROTO);
    }
}

load_io_e load_wire_open(load_wire_t *wire, uint16_t port, SSL_CTX *tls)
{
    struct sockaddr_in to;
    int on = 1;

    memset(wire, 0, sizeof *wire);
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0)
        return failed(wire, errno);
    (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    wire->wants_write = 1;
    if (connect(wire->fd, (struct sockaddr *)&to, sizeof to) != 0 &&
        errno != EINPROGRESS)
        return failed(wire, errno);
    if (tls) {
        wire->ssl = SSL_new(tls);
        if (!wire->ssl || !SSL_set_fd(wire->ssl, wire->fd))
            return failed(wire, ENOMEM);
        SSL_set_connect_state(wire->ssl);
    }
    return LOAD_IO_AGAIN;
}

load_io_e load_wire_shake(load_wire_t *wire)
{
    int error = 0;
    socklen_t size = sizeof error;
    int result;

    if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return failed(wire, errno);
    if (error)
        return failed(wire, error);
    wire->wants_write = 0;
    if (!wire->ssl)
        return LOAD_IO_DONE;
    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(wire->ssl);
    return result == 1 ? LOAD_IO_DONE : tls_result(wire, result);
}

static load_io_e plain_result(load_wire_t *wire, ssize_t result, int for_write,
                              size_t *moved)
{
    if (result > 0) {
        *moved = (size_t)result;
        return LOAD_IO_DONE;
    }
    if (result == 0)
        return LOAD_IO_END;
    if (errno != EAGAIN && errno != EINTR)
        return failed(wire, errno);
    wire->wants_write = for_write;
    return LOAD_IO_AGAIN;
}

load_io_e load_wire_read(load_wire_t *wire, char *data, size_t size,
                         size_t *moved)
{
    int result;

    *moved = 0;
    if (!wire->ssl)
        return plain_result(wire, recv(wire->fd, data, size, 0), 0, moved);
    ERR_clear_error();
    errno = 0;
    result = SSL_read_ex(wire->ssl, data, size, moved);
    return result == 1 ? LOAD_IO_DONE : tls_result(wire, result);
}

load_io_e load_wire_write(load_wire_t *wire, const char *data, size_t size,
                          size_t *moved)
{
    int result;

    *moved = 0;
    if (!wire->ssl)
        return plain_result(wire, send(wire->fd, data, size, MSG_NOSIGNAL), 1,
                            moved);
    ERR_clear_error();
    errno = 0;
    result = SSL_write_ex(wire->ssl, data, size, moved);
    return result == 1 ? LOAD_IO_DONE : tls_result(wire, result);
}

void load_wire_close(load_wire_t *wire)
{
    if (wire->ssl) {
        SSL_free(wire->ssl);
        wire->ssl = NULL;
    }
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}
