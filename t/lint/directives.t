#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Every directive is in the code, in the reference configuration and in the
# README, or in none of them; and so is every directive of <ManagedProcess>,
# which httpd knows nothing of.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp files);
use Test::More;

my $table = slurp('src/httpd/directives.c');
my $reference = slurp('conf/reference.conf');
my $readme = slurp('README.md');

# Rows of the command table: some macro's first argument.
my %code;
$code{$_}++ for $table =~ /^\s*[A-Z][A-Z0-9_]*\(\s*"(<?Manage[dr][A-Z][A-Za-z]+)"/mg;
ok(%code, 'the command table has rows') or BAIL_OUT('no command table');
my %said;
$said{$_}++ for $table =~ /"(<?Manage[dr][A-Z][A-Za-z]+)"/g;
is(set(\%said), set(\%code), 'every name of the file is a row of the table');

# Set or commented out: "# ManagerInterval 10s".
my %conf = map { $_ => 1 }
    $reference =~ /^\s*(?:#\s?)?\s*(<?Manage[dr][A-Z][A-Za-z]+)(?=[ \t]|$)/mg;
is(set(\%conf), set(\%code), 'conf/reference.conf: these and no others');

# The heading of its entry in the reference: "### `ManagerInterval`" or
# "### ManagerInterval".
my %manual = map { $_ => 1 }
    $readme =~ /^\#{2,5}\s+`?(<?Manage[dr][A-Z][A-Za-z]+)\b/mg;
is(set(\%manual), set(\%code), 'README.md: an entry for each of them');

for my $name (sort keys %code) {
    (my $plain = $name) =~ s/^<//;
    is($code{$name}, 1, "$name stands once in the table");
    isnt($plain, 'ManagerBalancerName', "$plain is not mod_cluster's");
}

# Those that may stand in sections of httpd are said to, and no others.
my %within = map { $_ => 1 } $table =~ /\bAP_INIT_\w+\("(\w+)",[^{}"]*?ACCESS_CONF/g;
ok(%within, 'some directives are for sections too');
my ($head) = $reference =~ /\A((?:#.*\n)+)/;
my ($intro) = $readme =~ /^## Directives\n+(.*)/m;
for (['conf/reference.conf', $head], ['README.md', $intro]) {
    my ($file, $text) = @$_;
    my %named = map { $_ => 1 } ($text // '') =~ /(?<!<)\b(Manager[A-Z]\w+)/g;
    is(set(\%named), set(\%within), "$file begins with which they are");
}

# Shipped configuration uses only what there is.
for my $file (files(qr/\.(?:conf|load)$/, 'conf')) {
    my %used = map { $_ => 1 }
        slurp($file) =~ /^\s*(?:#\s?)?\s*(<?Manage[dr][A-Z][A-Za-z]+)(?=[ \t]|$)/mg;
    is(join(' ', grep { !$code{$_} } sort keys %used), '',
       "$file names directives that exist");
}

# Inside the section of a process: rows of "{"Command", 1, ...", lines of the
# section that is commented out, and first columns of the entry's tables.
my $keys = slurp('src/supervise/spec/spec_keys.c');
my ($rows) = $keys =~ /amgr_spec_table\[\]\s*=\s*\{(.*?)^\s*\{NULL/ms;
my %inner;
$inner{$_}++ for ($rows // '') =~ /\{"(\w+)",/g;
ok(%inner, 'the table of <ManagedProcess> has rows');
is(join(' ', grep { $inner{$_} != 1 } sort keys %inner), '', 'each once');
my ($list) = $keys =~ /\bkeys\[\]\s*=\s*\{(.*?)\}/s;
is(set({ map { $_ => 1 } ($list // '') =~ /"(\w+)"/g }), set(\%inner),
   'amgr_spec_keys() names these and no others');
my ($section) = $reference =~ /^#<ManagedProcess .*?>\n(.*?)^#<\/ManagedProcess>/ms;
is(set({ map { $_ => 1 } ($section // '') =~ /^#    ([A-Z]\w*) /mg }),
   set(\%inner), 'conf/reference.conf has them in a section');
my ($entry) = $readme =~ /^### <ManagedProcess NAME>\n(.*?)^### /ms;
my @tables = ($entry // '') =~ /^\| Directive \|.*\n\|[-|]+\n((?:\|.*\n)+)/mg;
is(set({ map { map { $_ => 1 } /^\| `(\w+)/mg } @tables }), set(\%inner),
   'README.md: a row for each of them');

sub set { my ($names) = @_; return join "\n", sort keys %$names }

done_testing();
