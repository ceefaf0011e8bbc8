/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections as bytes and back: the same sections in the same order, and nothing
 * from bytes that were not written so.
 */
#include "spec_lines.h"

#define BYTES_MAX 8192

typedef struct packed_t {
    char bytes[BYTES_MAX];
    size_t len;
} packed_t;

static apr_status_t keep(void *baton, const char *data, apr_size_t len)
{
    packed_t *packed = baton;

    assert_true(packed->len + len <= BYTES_MAX);
    memcpy(packed->bytes + packed->len, data, len);
    packed->len += len;
    return APR_SUCCESS;
}

static void pack(amgr_spec_t **specs, int count, packed_t *out)
{
    char buf[16]; /* less than most texts */
    amgr_sink_t sink;

    out->len = 0;
    amgr_sink_init(&sink, buf, sizeof(buf), keep, out);
    amgr_specs_pack((const amgr_spec_t *const *)specs, count, &sink);
    assert_int_equal(amgr_sink_finish(&sink), APR_SUCCESS);
}

/* The number of sections, or -1. */
static int unpack(const packed_t *packed, amgr_spec_t ***out)
{
    int count = -2;
    apr_status_t rv;
    /* Exactly its size, so that a byte too far is seen. */
    char *bytes = malloc(packed->len > 0 ? packed->len : 1);

    assert_non_null(bytes);
    memcpy(bytes, packed->bytes, packed->len);
    rv = amgr_specs_unpack(bytes, packed->len, knows_mine, out, &count, pool);
    free(bytes);
    if (rv != APR_SUCCESS) {
        assert_int_equal(rv, APR_EGENERAL);
        assert_int_equal(count, -2);
        return -1;
    }
    return count;
}

static void pack_three(packed_t *out)
{
    amgr_spec_t *specs[] = {
        section("web", "command /bin/x \"\" \"a b\"\nAfter db\nAfter api\n"
                       "Verify mine x\n"),
        section("api", "Environment A 1\nShell On\nCommand \"a | b\"\n"),
        section("db", "Command /bin/db\n")};

    pack(specs, 3, out);
}

static void sections_come_back_as_they_went(void **state)
{
    amgr_spec_t **specs;
    packed_t first;
    packed_t second;

    (void)state; /* cmocka's signature */
    pack_three(&first);
    assert_int_equal(unpack(&first, &specs), 3);
    assert_string_equal(specs[0]->name, "web");
    assert_string_equal(specs[1]->name, "api");
    assert_string_equal(specs[2]->name, "db");
    assert_null(specs[3]);
    assert_true(amgr_spec_equal(
        specs[0], section("web", "Command /bin/x \"\" \"a b\"\nAfter db\n"
                                 "After api\nVerify mine x\n")));
    assert_string_equal(specs[1]->argv[0], "/bin/sh");
    assert_string_equal(word_at(specs[0]->after, 1), "api");
    pack(specs, 3, &second);
    assert_int_equal(second.len, first.len);
    assert_memory_equal(second.bytes, first.bytes, first.len);
}

/* Zero is no lack of a wish. */
static void a_nice_of_zero_comes_back(void **state)
{
    amgr_spec_t *sent[] = {section("web", "Command /bin/x\nNice 0\n"),
                           section("db", "Command /bin/x\n")};
    amgr_spec_t **specs;
    packed_t packed;

    (void)state; /* cmocka's signature */
    pack(sent, 2, &packed);
    assert_int_equal(unpack(&packed, &specs), 2);
    assert_int_equal(specs[0]->nice, 0);
    assert_int_equal(specs[1]->nice, AMGR_SPEC_NO_NICE);
    assert_non_null(strstr(dumped(specs[0]), "\n    Nice 0\n"));
    assert_null(strstr(dumped(specs[1]), "\n    Nice "));
    assert_false(amgr_spec_equal(specs[0], section("web", "Command /bin/x\n")));
}

static void no_section_is_something_too(void **state)
{
    amgr_spec_t **specs;
    packed_t packed;

    (void)state; /* cmocka's signature */
    pack(NULL, 0, &packed);
    assert_int_equal(unpack(&packed, &specs), 0);
    assert_null(specs[0]);
}

static apr_uint64_t hash_of(const char *name, const char *lines)
{
    return amgr_spec_hash(section(name, lines), "#33", "#33");
}

/* One after the other, as the first two differ by where a word ends. */
static void a_section_that_differs_has_another_hash(void **state)
{
    static const char *const lines[] = {
        "Command /bin/x a b\n",
        "Command /bin/x \"a b\"\n",
        "Command /bin/x ab\n",
        "Command /bin/x a b\nEnvironment A 1\n",
        "Command /bin/x a b\nEnvironment A 2\n",
        "Command /bin/x a b\nEnvironmentFile /a\n",
        "Command /bin/x a b\nWorkingDirectory /a\n",
        "Command /bin/x a b\nUser a\n",
        "Command /bin/x a b\nUser a\nGroup a\n",
        "Command /bin/x a b\nGroup a\n",
        "Command /bin/x a b\nRestart never\n",
        "Command /bin/x a b\nVerify exited 0\n",
        "Command /bin/x a b\nVerify mine x\n",
        "Command /bin/x a b\nMaxMemory 1G\n",
    };
    apr_size_t i;
    apr_size_t k;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(lines); i++) {
        assert_true(hash_of("web", lines[i]) == hash_of("web", lines[i]));
        assert_false(hash_of("web", lines[i]) == hash_of("api", lines[i]));
        for (k = 0; k < i; k++) {
            assert_false(hash_of("web", lines[i]) == hash_of("web", lines[k]));
        }
    }
    assert_true(hash_of("web", "Command /bin/x\n") ==
                hash_of("web", "command /bin/x\n"));
}

/* httpd's own User and Group count where the process has them. */
static void whose_it_is_counts(void **state)
{
    static const struct {
        const char *lines;
        int user_counts;
        int group_counts;
    } cases[] = {
        {"Command /bin/x\n", 1, 1},
        {"Command /bin/x\nGroup a\n", 1, 0},
        {"Command /bin/x\nUser a\n", 0, 0},
        {"Command /bin/x\nUser a\nGroup a\n", 0, 0},
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const amgr_spec_t *spec = section("web", cases[i].lines);
        apr_uint64_t hash = amgr_spec_hash(spec, "#33", "#33");

        assert_int_equal(hash != amgr_spec_hash(spec, "#34", "#33"),
                         cases[i].user_counts);
        assert_int_equal(hash != amgr_spec_hash(spec, "#33", "#34"),
                         cases[i].group_counts);
        assert_int_equal(hash != amgr_spec_hash(spec, "#33", NULL),
                         cases[i].group_counts);
    }
}

static void every_cut_and_every_byte_more_is_refused(void **state)
{
    amgr_spec_t **specs;
    packed_t packed;
    size_t len;

    (void)state; /* cmocka's signature */
    pack_three(&packed);
    for (len = packed.len; len > 0; len--) {
        packed.len--;
        assert_int_equal(unpack(&packed, &specs), -1);
    }
    pack_three(&packed);
    packed.bytes[packed.len++] = '\0';
    assert_int_equal(unpack(&packed, &specs), -1);
}

/* Whatever a byte is changed to: sections that pack to these bytes, or none. */
static void every_byte_changed_is_refused_or_meant(void **state)
{
    amgr_spec_t **specs;
    packed_t packed;
    packed_t again;
    size_t i;
    int flip;
    int refused = 0;

    (void)state; /* cmocka's signature */
    pack_three(&packed);
    for (i = 0; i < packed.len; i++) {
        for (flip = 1; flip < 256; flip <<= 1) {
            int count;

            packed.bytes[i] = (char)(packed.bytes[i] ^ flip);
            count = unpack(&packed, &specs);
            refused += count < 0;
            if (count >= 0) {
                pack(specs, count, &again);
                assert_int_equal(again.len, packed.len);
                assert_memory_equal(again.bytes, packed.bytes, packed.len);
            }
            packed.bytes[i] = (char)(packed.bytes[i] ^ flip);
        }
    }
    assert_true(refused > (int)packed.len);
}

static void put(packed_t *packed, const char *text)
{
    size_t len = strlen(text);
    size_t i;

    for (i = 0; i < 4; i++) {
        packed->bytes[packed->len++] = (char)(len >> (8 * i) & 0xFF);
    }
    memcpy(packed->bytes + packed->len, text, len);
    packed->len += len;
}

static void put_number(packed_t *packed, unsigned int number)
{
    memcpy(packed->bytes + packed->len, &number, 4);
    packed->len += 4;
}

/* One section of one line. */
static void pack_line(packed_t *packed, const char *name, const char *key,
                      const char *word)
{
    memcpy(packed->bytes, "AMGRSPC1", 8);
    packed->len = 8;
    put_number(packed, 1);
    put(packed, name);
    put_number(packed, 1);
    put(packed, key);
    put_number(packed, 1);
    put(packed, word);
}

static void what_a_section_would_refuse_is_refused(void **state)
{
    amgr_spec_t **specs;
    packed_t packed;

    (void)state; /* cmocka's signature */
    pack_line(&packed, "web", "Command", "/bin/x");
    assert_int_equal(unpack(&packed, &specs), 1);
    packed.bytes[packed.len - 1] = '\0';
    assert_int_equal(unpack(&packed, &specs), -1);
    pack_line(&packed, "web", "command", "/bin/x");
    assert_int_equal(unpack(&packed, &specs), -1);
    pack_line(&packed, "web", "Command", "bin/x");
    assert_int_equal(unpack(&packed, &specs), -1);
    pack_line(&packed, "../web", "Command", "/bin/x");
    assert_int_equal(unpack(&packed, &specs), -1);
    pack_line(&packed, "web", "User", "root");
    assert_int_equal(unpack(&packed, &specs), -1);
    pack_line(&packed, "web", "Command", "/bin/x");
    memcpy(packed.bytes + 8, "\xff\xff\xff\xff", 4);
    assert_int_equal(unpack(&packed, &specs), -1);
}

/* After names a section that is not there. */
static void what_all_would_refuse_is_refused(void **state)
{
    amgr_spec_t *specs[] = {section("a", "Command /x\nAfter b\n"),
                            section("b", "Command /x\nAfter a\n")};
    amgr_spec_t **out;
    packed_t packed;

    (void)state; /* cmocka's signature */
    pack(specs, 1, &packed);
    assert_int_equal(unpack(&packed, &out), -1);
    pack(specs, 2, &packed);
    assert_int_equal(unpack(&packed, &out), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_come_back_as_they_went),
        cmocka_unit_test(a_nice_of_zero_comes_back),
        cmocka_unit_test(no_section_is_something_too),
        cmocka_unit_test(a_section_that_differs_has_another_hash),
        cmocka_unit_test(whose_it_is_counts),
        cmocka_unit_test(every_cut_and_every_byte_more_is_refused),
        cmocka_unit_test(every_byte_changed_is_refused_or_meant),
        cmocka_unit_test(what_a_section_would_refuse_is_refused),
        cmocka_unit_test(what_all_would_refuse_is_refused),
    };

    return cmocka_run_group_tests(tests, create_pool, destroy_pool);
}
