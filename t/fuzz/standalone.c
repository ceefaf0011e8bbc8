/* SPDX-License-Identifier: Apache-2.0
 *
 * Replays a fuzzer's corpus with the plain compiler: each argument is a file,
 * or a directory of files.  A corpus that cannot be read, or has nothing in
 * it, is a failure: a check that finds no input has checked nothing.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs run, or -1. */
static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;

    if (f != NULL && fseek(f, 0, SEEK_END) == 0) {
        size = ftell(f);
    }
    if (size >= 0 && fseek(f, 0, SEEK_SET) == 0) {
        /* Exactly its size, so that a byte too far is seen. */
        data = malloc(size > 0 ? (size_t)size : 1);
    }
    if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size) {
        fprintf(stderr, "cannot read %s\n", path);
        size = -1;
    }
    else {
        LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    free(data);
    if (f != NULL) {
        fclose(f);
    }
    return size < 0 ? -1 : 1;
}

static int replay_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char file[4096];
    int count = 0;

    if (dir == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        return -1;
    }
    while (count >= 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >=
                (int)sizeof(file) ||
            replay_file(file) < 0) {
            count = -1;
            break;
        }
        count++;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    struct stat info;
    int total = 0;
    int count;
    int i;

    for (i = 1; i < argc; i++) {
        count = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode)
                    ? replay_dir(argv[i])
                    : replay_file(argv[i]);
        if (count <= 0) {
            fprintf(stderr, "%s: no input\n", argv[i]);
            return 1;
        }
        total += count;
    }
    printf("%d inputs\n", total);
    return total == 0;
}
