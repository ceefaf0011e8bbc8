#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Functions that are never used, and the shape of files and functions.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(sources files slurp without_text without_comments);
use Test::More;

use constant {
    FILE_LINES     => 500,
    FUNCTION_LINES => 80,
    COLUMNS        => 80,
};

my $banned = join '|', qw(atoi atol atoll atof sprintf vsprintf strcpy stpcpy
                          strcat gets strtok alloca apr_atoi64);

my $functions = 0;
for my $file (sources()) {
    my $text = slurp($file);
    my $code = without_text($text);
    my @wrong;

    push @wrong, map { "$_() is banned" } found($code, qr/\b($banned)\s*\(/);
    push @wrong, lines_with($text, qr/\t/, 'a tab');
    push @wrong, lines_with($text, qr/[ \r]$/, 'a trailing blank');
    push @wrong, lines_with($text, qr/[^\x00-\x7f]/, 'a byte beyond ASCII');
    push @wrong, long_lines($text);
    push @wrong, slash_comments($text);
    push @wrong, 'no new line at the end' unless $text =~ /[^\n]\n\z/;
    my $lines = () = $text =~ /\n/g;
    push @wrong, "$lines lines, at most " . FILE_LINES if $lines > FILE_LINES;
    push @wrong, 'the SPDX line is not the first'
        unless $text =~ m{\A/\* SPDX-License-Identifier: Apache-2\.0\n};
    push @wrong, long_functions($code);
    is(join("\n", @wrong), '', "$file has the shape of the rest");
}
cmp_ok($functions, '>', 20, 'functions were found at all');

sub found {
    my ($code, $pattern) = @_;
    my %seen;
    return grep { !$seen{$_}++ } $code =~ /$pattern/g;
}

sub lines_with {
    my ($text, $pattern, $what) = @_;
    my $number = 0;
    return map { $number++; /$pattern/ ? "line $number: $what" : () }
        split /\n/, $text;
}

sub long_lines {
    my ($text) = @_;
    my $number = 0;
    return map {
        $number++;
        length > COLUMNS ? "line $number: " . length() . ' columns' : ();
    } split /\n/, $text;
}

# A // outside of text and of ordinary comments.
sub slash_comments {
    my ($text) = @_;
    my @wrong;
    while ($text =~ m{("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|/\*.*?\*/)
                      |(//)}gsx) {
        next unless defined $2;
        my $line = 1 + (() = substr($text, 0, $-[2]) =~ /\n/g);
        push @wrong, "line $line: a // comment";
    }
    return @wrong;
}

# A function's body stands between braces of column 0; "};" ends data.
sub long_functions {
    my ($code) = @_;
    my ($number, $begin, @wrong) = (0);
    for (split /\n/, $code) {
        $number++;
        if (/^\{/) {
            $begin = $number;
        }
        elsif (/^\}/ && defined $begin) {
            my $length = $number - $begin + 1;
            $functions++;
            push @wrong, "line $begin: a function of $length lines"
                if $length > FUNCTION_LINES;
            undef $begin;
        }
    }
    return @wrong;
}

done_testing();
