#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Every option of the command line tool is in its table, in what --help prints,
# in the manual page, in the completion and in the README, or in none of them;
# with an argument in all of them, or in none.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp build_dir without_comments);
use Test::More;

my $table = without_comments(slurp('src/cli/options/options.c'));
my $page = slurp('conf/man/apache-manager.8');
my $completion = slurp('conf/completion/apache-manager');
my $readme = slurp('README.md');

# {"max-ss", 't', "TIMESPAN", ...}: its letter, if it has one, and whether it
# takes an argument.
my ($rows) = $table =~ /\brows\[\] = \{(.*?)\};/s
    or BAIL_OUT('src/cli/options/options.c has no table');
my (%option, %letter);
while ($rows =~ /\{\s*"([a-z-]+)",\s*('(\w)'|\w+),\s*(NULL|"[A-Z]+"),/g) {
    ok(!exists $option{$1}, "--$1 stands once in the table");
    $option{$1} = $4 ne 'NULL';
    $letter{$3} = $4 ne 'NULL' if defined $3;
}
is(scalar(keys %option), scalar(() = $rows =~ /\{\s*"/g),
   'every row of the table was read');
cmp_ok(scalar keys %option, '>', 15, 'there are options');
my %known = (map({ ("--$_" => $option{$_}) } keys %option),
             map({ ("-$_" => $letter{$_}) } keys %letter));

# Said, and with what after it.
my %help = read_options(help());
is(lines(\%help), lines(\%known), '--help: these and no others');

my %readme;
my ($section) = $readme =~ /^## apache-manager, .*?\n### Options\n(.*?)^### /ms;
for my $cell (($section // '') =~ /^\| (`-.*?) \|/mg) {
    my %row = read_options($cell =~ s/`//gr);
    # In one cell the argument stands behind the long names.
    @readme{ keys %row } = values %row;
}
is(lines(\%readme), lines(\%known), 'README.md: these and no others');

# .It Fl t , Fl -max-time , Fl -max-ss Ns = Ns Ar timespan
my %page;
for my $item ($page =~ /^\.It (Fl .*)$/mg) {
    my $takes = $item =~ / Ar /;
    $page{"-$_"} = $takes for $item =~ /Fl (\S+)/g;
}
is(lines(\%page), lines(\%known), 'the manual page: these and no others');
my ($synopsis) = $page =~ /^\.Sh SYNOPSIS\n(.*?)^\.Sh/ms;
my %synopsis = map { $_ => 1 }
    map { /^-/ ? "-$_" : map { "-$_" } split //, $_ }
    $synopsis =~ /\bFl (\S+)/g;
# A letter stands for its long names.
for my $name (sort keys %option) {
    my ($short) = $rows =~ /\{\s*"\Q$name\E",\s*'(\w)'/;
    ok($synopsis{ defined $short ? "-$short" : "--$name" },
       "--$name is in the synopsis");
}
my @more = grep { !exists $known{$_} } sort keys %synopsis;
is("@more", '', 'no other is');

my ($words) = $completion =~ /\$cur == -\*.*?compgen -W '(.*?)'/s;
my %completed = map { s/=$//r => /=$/ ? 1 : '' } split ' ', $words // '';
# Behind a letter there is no "=".
$completed{"-$_"} = $letter{$_} for grep { exists $completed{"-$_"} }
    keys %letter;
is(lines(\%completed), lines(\%known), 'the completion: these and no others');
for my $name (grep { $known{$_} } sort keys %known) {
    my $pattern = $name =~ /^--/ ? qr/\Q$name\E(?= |\))/
                : qr/-!\(-\*\)\[?\w*\Q@{[substr $name, 1]}\E/;
    like($completion, $pattern, "$name: its values are completed");
}

# Settings files: the keys of the program, and of the documents.
my $settings = without_comments(slurp('src/cli/options/settings_file.c'));
my @keys = sort $settings =~ /is_key\(name, "([a-z-]+)"\)/g;
cmp_ok(scalar @keys, '>', 3, 'there are keys of settings files');
for ([README => $readme], ['the manual page' => $page]) {
    my ($what, $text) = @$_;
    my ($example) = $text =~ /^\[apache-manager\]\n(.*?)^[.`]/ms;
    is(join(' ', sort +($example // '') =~ /^([a-z-]+) =/mg), "@keys",
       "$what: these keys of settings files and no others");
}
done_testing();

# Options as they are printed: "-t, --max-time=TIMESPAN, --max-ss=TIMESPAN".
# A letter takes what its long name does.
sub read_options {
    my ($text) = @_;
    my %found;
    for my $line ($text =~ /^\s*(-.*)$/mg) {
        my $takes = $line =~ /=[A-Z]/ ? 1 : '';
        next if $line !~ /^-(?:\w,|-)/;
        $found{$_} = $takes for $line =~ /(?:^|, )(--?[a-z-]+|-\w)/gi;
    }
    return %found;
}

sub help {
    my $program = build_dir() . '/apache-manager';
    open my $out, '-|', $program, '--help' or die "$program: $!\n";
    local $/;
    my $text = <$out>;
    close $out or die "$program --help failed\n";
    return $text;
}

sub lines {
    my ($options) = @_;
    return join "\n", map { "$_ " . ($options->{$_} ? 'ARGUMENT' : '') }
        sort keys %$options;
}
