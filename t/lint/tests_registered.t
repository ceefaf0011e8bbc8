#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A test that was written also runs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(files slurp build_dir without_text);
use Test::More;

for my $file (files(qr/_test\.c$/, 't/unit')) {
    my $code = without_text(slurp($file));
    # cmocka tells tests by their signature; set-up and tear-down return int.
    my @tests = $code =~ /^static void\s+(\w+)\s*\(\s*void\s*\*\*/mg;
    ok(scalar @tests, "$file has tests");
    # Defined once and named once more: in the list, by whatever macro.
    my @unlisted = grep { my $n = () = $code =~ /\b$_\b/g; $n < 2 } @tests;
    is("@unlisted", '', "$file: each of them is listed");
    like($code, qr/cmocka_run_group_tests/, "$file: the list is run");

    my ($name) = $file =~ m{([^/]+)\.c$};
    my $binary = build_dir() . "/unit/$name";
    ok(-x $binary, "$binary is built");
    ok(-x $binary && -M $binary <= -M $file, "$binary is up to date");
}

# What the runner would run and nobody wrote any more.
my %source = map { m{([^/]+)\.c$} => 1 } files(qr/_test\.c$/, 't/unit');
my @stale = grep { -x && -f && !/\./ && !$source{ (m{([^/]+)$})[0] } }
    glob build_dir() . '/unit/*_test';
is("@stale", '', 'no binary without a source');
done_testing();
