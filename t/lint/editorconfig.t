#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# .editorconfig and .clang-format say the same, and each names the other.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp);
use Test::More;

my $editor = slurp('.editorconfig');
my $clang = slurp('.clang-format');
my ($section) = $editor =~ /^\[\*\.\{c,h\}\]\n(.*?)(?=^\[|\z)/ms;
ok(defined $section, '.editorconfig has a section for C')
    or BAIL_OUT('no section');
my %editor = $section =~ /^(\w+)\s*=\s*(\S+)/mg;
my %clang = $clang =~ /^(\w+):\s*(\S+)/mg;

is($editor{indent_style}, 'space', 'blanks');
is($clang{UseTab}, 'Never', 'no tabs');
is($editor{indent_size}, 4, 'four of them');
is($clang{IndentWidth}, $editor{indent_size}, 'the same indent');
is($editor{max_line_length}, 80, '80 columns');
is($clang{ColumnLimit}, $editor{max_line_length}, 'the same columns');
like($editor, qr/^# .*\.clang-format/m, '.editorconfig names .clang-format');
like($clang, qr/^# .*\.editorconfig/m, '.clang-format names .editorconfig');
done_testing();
