/* SPDX-License-Identifier: Apache-2.0
 *
 * What can only be told of all sections together: the graph of After.
 */
#include <string.h>

#include <apr_strings.h>

#include "supervise/spec/spec_parts.h"

#define BIT(index) (APR_UINT64_C(1) << (index))

static int find(const amgr_spec_t *const *specs, int count, const char *name)
{
    int i;

    for (i = 0; i < count; i++) {
        if (strcmp(specs[i]->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

apr_uint64_t amgr_specs_after(const amgr_spec_t *const *specs, int count,
                              int index)
{
    const apr_array_header_t *after = specs[index]->after;
    apr_uint64_t mask = 0;
    int other;
    int i;

    for (i = 0; i < after->nelts; i++) {
        other = find(specs, count, APR_ARRAY_IDX(after, i, const char *));
        if (other >= 0 && other < AMGR_MANAGED_MAX) {
            mask |= BIT(other);
        }
    }
    return mask;
}

/* A member that two let in and out would be in only by chance. */
static const char *check_gates(const amgr_spec_t *const *specs, int index,
                               apr_pool_t *pool)
{
    const apr_array_header_t *gates = specs[index]->gates;
    int other;
    int i;

    for (i = 0; i < gates->nelts; i++) {
        const amgr_gate_t *gate = &APR_ARRAY_IDX(gates, i, amgr_gate_t);

        for (other = 0; other < index; other++) {
            if (amgr_spec_has_gate(specs[other], gate)) {
                return apr_psprintf(
                    pool,
                    "process %s: Gate: '%s %s' is not valid (expected a member "
                    "that is not process %s's)",
                    specs[index]->name, amgr_word_shown(gate->balancer, pool),
                    amgr_word_shown(gate->member, pool), specs[other]->name);
            }
        }
    }
    return NULL;
}

static const char *check_names(const amgr_spec_t *const *specs, int count,
                               int index, apr_pool_t *pool)
{
    const amgr_spec_t *spec = specs[index];
    const char *name;
    int i;

    if (find(specs, count, spec->name) != index) {
        return apr_psprintf(pool, "process %s: is there twice", spec->name);
    }
    for (i = 0; i < spec->after->nelts; i++) {
        name = APR_ARRAY_IDX(spec->after, i, const char *);
        if (strcmp(name, spec->name) == 0 || find(specs, count, name) < 0) {
            return apr_psprintf(pool,
                                "process %s: After: '%s' is not valid "
                                "(expected the name of another "
                                "<ManagedProcess>)",
                                spec->name, name);
        }
    }
    return check_gates(specs, index, pool);
}

const char *amgr_specs_check_order(const amgr_spec_t *const *specs, int count,
                                   apr_pool_t *pool)
{
    const char *name;
    int i;
    int k;

    for (i = 0; i < count; i++) {
        for (k = 0; k < specs[i]->after->nelts; k++) {
            name = APR_ARRAY_IDX(specs[i]->after, k, const char *);
            if (find(specs, count, name) > i) {
                return apr_psprintf(pool,
                                    "process %s: After: '%s' is not valid "
                                    "(expected a section before this one, as "
                                    "ManagerStartOrder is Config)",
                                    specs[i]->name, name);
            }
        }
    }
    return NULL;
}

/* Those that are left when all are taken away, again and again, that come
 * after none that is left: circles, and what comes after them. */
static apr_uint64_t find_circles(const apr_uint64_t *after, int count)
{
    apr_uint64_t left = 0;
    apr_uint64_t before;
    int i;

    for (i = 0; i < count; i++) {
        left |= BIT(i);
    }
    do {
        before = left;
        for (i = 0; i < count; i++) {
            if ((left & BIT(i)) != 0 && (after[i] & left) == 0) {
                left &= ~BIT(i);
            }
        }
    } while (left != before);
    return left;
}

static int lowest(apr_uint64_t mask)
{
    return __builtin_ctzll(mask);
}

/* From any of them along After one comes to a circle. */
static const char *tell_circle(const amgr_spec_t *const *specs,
                               const apr_uint64_t *after, apr_uint64_t left,
                               apr_pool_t *pool)
{
    apr_uint64_t seen = 0;
    apr_uint64_t circle = 0;
    int at = lowest(left);
    const char *text;
    int begin;

    while ((seen & BIT(at)) == 0) {
        seen |= BIT(at);
        at = lowest(after[at] & left);
    }
    while ((circle & BIT(at)) == 0) {
        circle |= BIT(at);
        at = lowest(after[at] & left);
    }
    begin = at = lowest(circle);
    text = specs[begin]->name;
    do {
        at = lowest(after[at] & left);
        text = apr_pstrcat(pool, text, " after ", specs[at]->name, NULL);
    } while (at != begin);
    at = lowest(after[begin] & left);
    return apr_psprintf(pool,
                        "process %s: After: '%s' is not valid (expected no "
                        "circle: %s)",
                        specs[begin]->name, specs[at]->name, text);
}

const char *amgr_specs_check(const amgr_spec_t *const *specs, int count,
                             apr_pool_t *pool)
{
    apr_uint64_t after[AMGR_MANAGED_MAX];
    apr_uint64_t left;
    const char *wrong;
    int i;

    if (count > AMGR_MANAGED_MAX) {
        return apr_psprintf(pool,
                            "<ManagedProcess>: '%d' is not valid (expected at "
                            "most %d sections)",
                            count, AMGR_MANAGED_MAX);
    }
    for (i = 0; i < count; i++) {
        wrong = check_names(specs, count, i, pool);
        if (wrong != NULL) {
            return wrong;
        }
        after[i] = amgr_specs_after(specs, count, i);
    }
    left = find_circles(after, count);
    return left == 0 ? NULL : tell_circle(specs, after, left, pool);
}

/* One that all others come after stops last: so its stop is over when it has
 * had its time after the slowest of them. */
apr_interval_time_t amgr_specs_stop_us(const amgr_spec_t *const *specs,
                                       int count)
{
    apr_interval_time_t begin_us[AMGR_MANAGED_MAX] = {0};
    apr_interval_time_t longest_us = 0;
    apr_uint64_t after;
    int pass;
    int i;

    count = count < AMGR_MANAGED_MAX ? count : AMGR_MANAGED_MAX;
    /* No chain has more members than there are, so neither have passes. */
    for (pass = 0; pass < count; pass++) {
        for (i = 0; i < count; i++) {
            apr_interval_time_t end_us =
                begin_us[i] + specs[i]->stop_timeout_us;

            longest_us = end_us > longest_us ? end_us : longest_us;
            for (after = amgr_specs_after(specs, count, i); after != 0;
                 after &= after - 1) {
                if (begin_us[lowest(after)] < end_us) {
                    begin_us[lowest(after)] = end_us;
                }
            }
        }
    }
    return longest_us;
}
