#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The manual page of the directives, from what the README says of them, so that
# nothing is written twice: conf/man/directives.pl README.md VERSION < PAGE.8.
# The other page, on standard input, tells the date.
use strict;
use warnings;

my ($readme, $version) = @ARGV;
my ($date) = join('', <STDIN>) =~ /^\.Dd (.+)$/m
    or die "no date on standard input\n";
open my $in, '<', $readme or die "$readme: $!\n";
my $text = do { local $/; <$in> };
my ($part) = $text =~ /^## Directives\n(.*?)(?=^## )/ms
    or die "$readme: no directives\n";
my ($intro, @entries) = split /^### /m, $part;
@entries or die "$readme: no directive\n";

print <<"END";
.\\" Made from README.md by conf/man/directives.pl.
.Dd $date
.Dt MOD_APACHE_MANAGER 5
.Os mod_apache_manager $version
.Sh NAME
.Nm mod_apache_manager
.Nd directives of the Apache module that retires workers that leak or hang
.Sh SYNOPSIS
.Bd -literal
LoadModule apache_manager_module modules/mod_apache_manager.so

<Location "/manager-status">
    SetHandler manager-status
    Require local
</Location>
.Ed
.Sh DESCRIPTION
END
blocks($intro);
print ".Sh DIRECTIVES\n";
entry($_) for @entries;
print <<'END';
.Sh SEE ALSO
.Xr apache-manager 8 ,
.Xr apache2ctl 8
END

# "NAME\n\nSyntax: `...`. Default: `...`. Context: ...\n\ntext"
sub entry {
    my ($entry) = @_;
    my ($name, $head, $body) = $entry =~ /\A(.*)\n\n(Syntax: .*?)\n\n(.*)\z/s
        or die "no syntax in: $entry";
    my ($syntax, $default, $context) = $head =~
        /\ASyntax: (.*?)\. Default: (.*?)\.? Context: (.*?)\.?\z/s
        or die "$name: what is '$head'?\n";
    print '.Ss ', line($name), "\n",
        ".Bl -tag -width Default -compact\n",
        ".It Syntax\n", line($syntax), "\n",
        ".It Default\n", line($default), "\n",
        ".It Context\n", line($context), "\n", ".El\n";
    blocks($body, 1);
    return;
}

# Paragraphs, lists, tables and examples; with a break before the first one,
# too, if @_ says so.
sub blocks {
    my ($body, $break) = @_;
    my $line = qr/[^\n]*\n/;
    $body .= "\n";
    while ($body =~ /\G\n*(?:^```\n(.*?)^```\n|((?:^-\ $line)+)|((?:^\|$line)+)
                     |((?:^(?!```|-\ |\||\n)$line)+))/gcmsx) {
        my ($example, $list, $table, $text) = ($1, $2, $3, $4);
        if (defined $example) {
            print ".Bd -literal -offset indent\n",
                map({ verbatim($_) . "\n" } split /\n/, $example), ".Ed\n";
        }
        elsif (defined $list) {
            print ".Bl -bullet\n",
                map({ (".It\n", sentences($_)) } $list =~ /^- (.*)$/mg),
                ".El\n";
        }
        elsif (defined $table) {
            my (undef, undef, @rows) = $table =~ /^\| (.*?) \| (.*) \|$/mg;
            s/\\\|/|/g for @rows; # as a cell has to have it
            print ".Bl -tag -width Ds -offset indent\n";
            while (my ($name, $meaning) = splice @rows, 0, 2) {
                print '.It ', line($name), "\n", sentences($meaning);
            }
            print ".El\n";
        }
        else {
            print ".Pp\n" if $break;
            paragraph($text);
        }
        $break = 1;
    }
    $body =~ /\G\s*\z/gc or die 'what is this: ' . substr $body, pos $body;
    return;
}

sub paragraph {
    my @lines = split /\n/, shift;
    while (defined(my $text = shift @lines)) {
        if ($text =~ /^Example: `(.*)`$/) {
            print ".Pp\nExample:\n.Dl ", verbatim($1), "\n",
                @lines ? ".Pp\n" : '';
            next;
        }
        print sentences($text);
    }
    return;
}

# The manual's way is a line for each sentence.
sub sentences {
    my ($text) = @_;
    return map { line($_) . "\n" } split /(?<=[a-z)`]\.) (?=[A-Z`])/, $text;
}

sub verbatim {
    my ($text) = @_;
    $text =~ s/\\/\\e/g;
    $text =~ s/-/\\-/g;
    $text =~ s/^(?=[.'])/\\&/;
    return $text;
}

# One line of text with its marks: code, links and bold.
sub line {
    my ($text) = @_;
    my $out = '';
    $text =~ s/\[([^\]]+)\]\([^)]*\)/$1/g;
    while ($text =~ /\G(?:`` (.+?) ``|`([^`]+)`|\*\*(.+?)\*\*|([^`*]+|.))/gs) {
        my ($strong, $plain) = ($1 // $2 // $3, $4);
        if (defined $strong) {
            $out .= '\fB' . verbatim($strong) . '\fP';
        }
        else {
            $plain =~ s/\\/\\e/g;
            $out .= $plain;
        }
    }
    # Nothing that begins a line may be taken for a request.
    $out =~ s/^(?=[.'])/\\&/;
    return $out;
}
