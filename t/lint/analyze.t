#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What `make analyze` does not look for, it has a reason not to: each check that
# is disabled, each file that is exempt, each place in the source.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp files sources);
use Test::More;

my @configs = ('.clang-tidy', files(qr{/\.clang-tidy$}, 'src'));
for my $file (@configs) {
    my $text = slurp($file);
    my $comment = join ' ', $text =~ /^#\s?(.*)/mg;
    my ($checks) = $text =~ /^Checks:(.*?)(?=^\w|\z)/ms;
    ok($checks, "$file has checks") or next;
    my @off = grep { $_ ne '*' } $checks =~ /(?:^|[\s,'])-([\w.*-]+)/g;
    cmp_ok(scalar @off, '>', 0, "$file disables something");
    if ($file eq '.clang-tidy') {
        my @mute = grep { $comment !~ /(?:^| )\Q$_\E: \S/ } @off;
        is("@mute", '', "$file: each has a reason");
        my %off = map { $_ => 1 } @off;
        my @stale = grep { /-/ && !$off{$_} }
            $text =~ /^# ([a-z][\w.-]+): /mg;
        is("@stale", '', "$file: no reason for what is enabled");
    }
    else {
        ok(length $comment > 20, "$file says why");
    }
}

# Paragraphs of a comment and what it is about.
my $list = 't/analyze/cppcheck.txt';
my @paragraphs = split /\n\n+/, slurp($list);
cmp_ok(scalar @paragraphs, '>', 1, "$list has paragraphs");
shift @paragraphs; # what the file is
my @mute = grep { !m{\A//\s*\S.*\n(?:.*\n)*[a-z]}i } @paragraphs;
is("@mute", '', "$list: each has a reason");
my @gone = grep { !-e } map { /^\w+:(\S+)/mg } @paragraphs;
is("@gone", '', "$list: files that are there");

my @bare;
my $seen = 0;
for my $file (sources()) {
    my $line = 0;
    for (split /\n/, slurp($file)) {
        $line++;
        next unless /NOLINT|cppcheck-suppress|pragma GCC/;
        $seen++;
        push @bare, "$file:$line"
            unless m{/\* NOLINTNEXTLINE\([a-z][\w.-]+\): \w};
    }
}
cmp_ok($seen, '>', 0, 'some places are exempt');
is("@bare", '', 'each names its check and says why');
done_testing();
