#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A source of the module as another build of it might have it: whatever one
# build hands on to the next has another version or has grown.
#
#   next_build.pl FILE > COPY
use strict;
use warnings;

my %changes = (
    'src/httpd/runtime.h' => [
        [qr/(?=^\} amgr_runtime_t;$)/m, sub { "    char next[64];\n" }],
        [qr/(?<=^#define AMGR_NOTES_VERSION )(\d+)$/m, sub { $1 + 1 }],
    ],
    'src/httpd/runtime.c' => [
        [qr/(?<=^#define AMGR_RUNTIME_VERSION )(\d+)$/m, sub { $1 + 1 }],
    ],
    'src/httpd/server_start.h' => [
        [qr/(?=^\} amgr_server_start_t;$)/m, sub { "    char next[64];\n" }],
        [qr/(?<=^#define AMGR_SERVER_START_VERSION )(\d+)$/m, sub { $1 + 1 }],
    ],
    'src/httpd/children.h' => [
        [qr/(?=^\} amgr_child_t;$)/m, sub { "    apr_uint64_t next[3];\n" }],
    ],
);

@ARGV == 1 or die "usage: next_build.pl FILE\n";
my ($file) = @ARGV;
open my $in, '<', $file or die "$file: $!\n";
my $text = do { local $/; <$in> };
close $in or die "$file: $!\n";
for my $change (@{ $changes{$file} // [] }) {
    my ($place, $by) = @$change;
    $text =~ s/$place/$by->()/e or die "$file has no $place\n";
}
print $text;
