/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a guard hears and tells: its supervisor, the output of its process and
 * what that says of itself.  Belongs to guard_world.h.
 */
#ifndef AMGR_GUARD_PEERS_H
#define AMGR_GUARD_PEERS_H

#include "guard_world.h"

/* ---- the supervisor ----------------------------------------------------- */

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t size, int flags);

/* With a descriptor or without, whatever is ordered. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    apr_int32_t order;
    struct cmsghdr *part;
    int given_fd;
    size_t len = fuzz_below(&world.in, 16) == 15 ? 2 : sizeof(order);

    check(is_open(fd) && fd == world.voice_fd && (flags & MSG_DONTWAIT));
    check(message->msg_iov[0].iov_len == sizeof(order));
    if (world.order_count == 0) {
        errno = EAGAIN;
        return world.is_alone ? 0 : -1;
    }
    order = world.orders[0];
    memmove(world.orders, world.orders + 1, sizeof(world.orders) - sizeof(int));
    world.order_count--;
    if (order < 0) {
        errno = order == -1 ? EINTR : ECONNRESET;
        return -1;
    }
    memcpy(message->msg_iov[0].iov_base, &order, len);
    if (fuzz_below(&world.in, 4) != 3) {
        message->msg_controllen = 0;
        return (ssize_t)len;
    }
    given_fd = open_fd();
    part = CMSG_FIRSTHDR(message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(given_fd));
    memcpy(CMSG_DATA(part), &given_fd, sizeof(given_fd));
    return (ssize_t)len;
}

#define BIT(type) (1u << (type))

/* In an order that makes sense, and each of these once. */
static void check_event(const amgr_guard_event_t *event)
{
    const unsigned int once = BIT(AMGR_GUARD_STARTED) | BIT(AMGR_GUARD_FAILED) |
                              BIT(AMGR_GUARD_EXITED) | BIT(AMGR_GUARD_EMPTY);

    check(event->type >= 0 && event->type < AMGR_GUARD_EVENT_COUNT);
    check((BIT(event->type) & once & world.told) == 0);
    check(memchr(event->text, '\0', sizeof(event->text)) != NULL);
    switch (event->type) {
    case AMGR_GUARD_STARTED:
        check(event->pid >= FIRST_PID && world.launches == 1);
        check((world.told & BIT(AMGR_GUARD_FAILED)) == 0);
        break;
    case AMGR_GUARD_FAILED:
        check(event->stage > AMGR_LAUNCH_FINE &&
              event->stage < AMGR_LAUNCH_STAGE_COUNT);
        check((world.told & BIT(AMGR_GUARD_STARTED)) == 0);
        break;
    case AMGR_GUARD_EXITED:
        check((world.told & BIT(AMGR_GUARD_STARTED)) != 0);
        check(event->left >= 0 && event->left <= CHILDREN);
        break;
    case AMGR_GUARD_EMPTY:
        check((world.told & BIT(AMGR_GUARD_FAILED)) == 0);
        check((world.told & BIT(AMGR_GUARD_STARTED)) == 0 ||
              (world.told & BIT(AMGR_GUARD_EXITED)) != 0);
        check(count_living(0) == 0);
        break;
    default:
        break;
    }
    check((world.told & BIT(AMGR_GUARD_EMPTY)) == 0);
    world.told |= BIT(event->type);
}

ssize_t __wrap_send(int fd, const void *buf, size_t size, int flags)
{
    check(is_open(fd) && fd == world.voice_fd);
    check((flags & MSG_DONTWAIT) && (flags & MSG_NOSIGNAL));
    check(size == sizeof(amgr_guard_event_t));
    if (world.is_alone) {
        errno = EPIPE;
        return -1;
    }
    if (world.is_deaf) {
        errno = EAGAIN;
        return -1;
    }
    check_event(buf);
    return (ssize_t)size;
}

/* ---- output and notifications ------------------------------------------- */

apr_status_t __wrap_amgr_output_open(amgr_output_t *output,
                                     const amgr_spec_t *of,
                                     const amgr_teller_t *teller,
                                     int *out_write_fd);
int __wrap_amgr_output_read(amgr_output_t *output, apr_time_t now_mono_us);
void __wrap_amgr_output_drop(amgr_output_t *output);
int __wrap_amgr_output_is_over(amgr_output_t *output);
apr_time_t __wrap_amgr_output_due(const amgr_output_t *output);
void __wrap_amgr_output_look(amgr_output_t *output, apr_time_t now_mono_us);
void __wrap_amgr_output_last(const amgr_output_t *output, char *text,
                             apr_size_t size);
void __wrap_amgr_output_reopen(amgr_output_t *output);
void __wrap_amgr_output_close(amgr_output_t *output);
apr_status_t __wrap_amgr_notify_open(amgr_notify_t *notify);
int __wrap_amgr_notify_read(amgr_notify_t *notify, amgr_proc_dir_t *proc,
                            apr_time_t now_mono_us, amgr_notice_t *notice);

apr_status_t __wrap_amgr_output_open(amgr_output_t *output,
                                     const amgr_spec_t *of,
                                     const amgr_teller_t *teller,
                                     int *out_write_fd)
{
    check(of == spec && teller->line != NULL);
    memset(output, 0, sizeof(*output));
    output->read_fd = output->file_fd = *out_write_fd = -1;
    if (fuzz_below(&world.in, 32) == 31) {
        return ENOSPC;
    }
    if (spec->output != AMGR_OUTPUT_INHERIT) {
        output->read_fd = open_fd();
        *out_write_fd = open_fd();
        world.output_fd = output->read_fd;
    }
    return APR_SUCCESS;
}

/* Whoever could write is the process or what it started. */
static int has_writers(void)
{
    const child_t *logger = find_child(LOGGER);

    return count_living(logger == NULL ? 0 : logger->pid) > 0;
}

static void take_output(amgr_output_t *output)
{
    check(output->read_fd < 0 || is_open(output->read_fd));
    output->bytes += (apr_uint64_t)world.has_output;
    world.has_output = 0;
    if (output->read_fd >= 0 && !has_writers()) {
        __wrap_close(output->read_fd);
        output->read_fd = world.output_fd = -1;
    }
}

int __wrap_amgr_output_read(amgr_output_t *output, apr_time_t now_mono_us)
{
    check(spec->output != AMGR_OUTPUT_PIPE); /* which is the logger's to read */
    check(now_mono_us == world.now_us);
    take_output(output);
    return 0;
}

void __wrap_amgr_output_drop(amgr_output_t *output)
{
    check(spec->output == AMGR_OUTPUT_PIPE);
    output->dropped += (apr_uint64_t)world.has_output;
    take_output(output);
}

int __wrap_amgr_output_is_over(amgr_output_t *output)
{
    return output->read_fd < 0 || !has_writers();
}

apr_time_t __wrap_amgr_output_due(const amgr_output_t *output)
{
    (void)output;
    return AMGR_NO_TIME;
}

void __wrap_amgr_output_look(amgr_output_t *output, apr_time_t now_mono_us)
{
    (void)output;
    check(now_mono_us == world.now_us);
}

void __wrap_amgr_output_last(const amgr_output_t *output, char *text,
                             apr_size_t size)
{
    (void)output;
    check(size > 0);
    text[0] = '\0';
}

void __wrap_amgr_output_reopen(amgr_output_t *output)
{
    (void)output;
}

void __wrap_amgr_output_close(amgr_output_t *output)
{
    if (output->read_fd >= 0) {
        __wrap_close(output->read_fd);
    }
    output->read_fd = world.output_fd = -1;
}

apr_status_t __wrap_amgr_notify_open(amgr_notify_t *notify)
{
    memset(notify, 0, sizeof(*notify));
    notify->fd = -1;
    if (fuzz_below(&world.in, 32) == 31) {
        return EADDRINUSE;
    }
    notify->fd = world.notify_fd = open_fd();
    return APR_SUCCESS;
}

int __wrap_amgr_notify_read(amgr_notify_t *notify, amgr_proc_dir_t *proc,
                            apr_time_t now_mono_us, amgr_notice_t *notice)
{
    (void)proc;
    check(now_mono_us == world.now_us);
    if (notify->fd < 0 || !world.has_notice) {
        return 0;
    }
    world.has_notice = 0;
    notice->said |= (unsigned int)fuzz_bits(&world.in, 1) & 15;
    fuzz_bytes(&world.in, notice->status, 8);
    if (fuzz_below(&world.in, 8) == 7) {
        notify->pause_mono_us = now_mono_us + APR_USEC_PER_SEC / 10;
        notify->stranger = 321;
    }
    return fuzz_below(&world.in, 2);
}

#endif
