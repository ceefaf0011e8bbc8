/* SPDX-License-Identifier: Apache-2.0
 *
 * A section as one number, for whoever has no room for the section.
 */
#include "base/hash.h"
#include "supervise/spec/spec.h"

static apr_status_t add_bytes(void *baton, const char *data, apr_size_t len)
{
    apr_uint64_t *hash = baton;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        *hash = amgr_hash_add(*hash, (unsigned char)data[i]);
    }
    return APR_SUCCESS;
}

/** With its end, so that two are never taken for one. */
static void put_name(amgr_sink_t *sink, const char *name)
{
    amgr_sink_puts(sink, name != NULL ? name : "");
    amgr_sink_putc(sink, '\0');
}

apr_uint64_t amgr_spec_hash(const amgr_spec_t *spec, const char *user,
                            const char *group)
{
    apr_uint64_t hash = AMGR_HASH_BEGIN;
    amgr_sink_t sink;
    char buf[256];

    amgr_sink_init(&sink, buf, sizeof(buf), add_bytes, &hash);
    amgr_specs_pack(&spec, 1, &sink);
    if (spec->user == NULL) {
        put_name(&sink, user);
        put_name(&sink, spec->group == NULL ? group : NULL);
    }
    amgr_sink_finish(&sink); /* nothing that it does can fail */
    return hash;
}
