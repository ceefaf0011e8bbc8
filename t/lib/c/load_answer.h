/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading an HTTP/1.1 answer as its bytes come, strictly: what is not framed
 * by Content-Length or chunks, or is framed by both, is wrong.  Knows nothing
 * of sockets.
 */
#ifndef AMGR_LOAD_ANSWER_H
#define AMGR_LOAD_ANSWER_H

#include <stddef.h>
#include <stdint.h>

enum { LOAD_HEAD_BYTES = 8192 };

typedef enum load_part_e {
    LOAD_PART_HEAD = 0,
    LOAD_PART_BODY, /**< of a known length */
    LOAD_PART_CHUNK_SIZE,
    LOAD_PART_CHUNK,
    LOAD_PART_CHUNK_END, /**< the line end after the bytes of a chunk */
    LOAD_PART_TRAILER,
    LOAD_PART_DONE
} load_part_e;

/** What an application says of its own answer: "X-Check: SERIAL BYTES CRC". */
typedef struct load_check_t {
    int is_given;
    uint64_t serial;
    uint64_t body_bytes;
    uint32_t crc;
} load_check_t;

typedef struct load_answer_t {
    load_part_e part;
    int status;
    int has_length;
    int is_chunked;
    int says_close;
    uint64_t left_bytes;     /**< of the body or of the chunk */
    uint64_t received_bytes; /**< of the answer, head included */
    uint64_t body_bytes;
    uint32_t crc; /**< of the body so far */
    load_check_t check;
    size_t line_bytes; /**< of the head, or of the line of a chunk */
    char line[LOAD_HEAD_BYTES];
} load_answer_t;

/** Start a new answer in the caller's storage. */
void load_answer_init(load_answer_t *answer);

/**
 * Take in @a size bytes.  Returns NULL, or what is wrong with them in words;
 * the whole answer was there when its part is LOAD_PART_DONE.  Bytes after the
 * end are wrong: nobody asked for them.
 */
const char *load_answer_feed(load_answer_t *answer, const char *data,
                             size_t size);

/** CRC-32 as in zlib: start with 0, feed the result back. */
uint32_t load_crc(uint32_t crc, const char *data, size_t size);

#endif
