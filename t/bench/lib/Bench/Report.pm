# SPDX-License-Identifier: Apache-2.0
#
# The table: what, figures, against what, and how they varied; on a terminal
# while it is made, and as a section of the README.
package Bench::Report;

use strict;
use warnings;

use Bench::Table ();

use Exporter qw(import);
our @EXPORT_OK = qw(median quartiles number);

use constant {
    FORMAT => "%-6s %s\n       %s%s%s\n",
    BEGIN_MARK => '<!-- make bench README=1 writes what follows -->',
    END_MARK   => '<!-- as far as here -->',
    HEADER => "| What | Measured | Against | Middle half |\n"
        . "|---|---|---|---|\n",
};

sub new { my ($class) = @_; return bless { failures => 0, row => {} }, $class }

sub failures { return $_[0]{failures} }

# What has been measured of a row of the table:
#   figures  a number for each of its figures; left out: the medians of those of
#   of       lists of the values that a figure is the median of
#   base     the numbers of what it is against
#   note     instead of how the values varied
sub add {
    my ($self, $key, %got) = @_;
    my $row = Bench::Table::row($key);
    my $of = $got{of} // [];
    my @values = $got{figures} ? @{ $got{figures} }
        : map { median(@$_) } @$of;
    @values == @{ $row->{figures} } or die "$key: other figures\n";
    my @base = @{ $got{base} // [] };
    @base == bases($row) or die "$key: against something else\n";
    my $is_over = 0;
    my @figures = map {
        my ($figure, $value) = ($row->{figures}[$_], $values[$_]);
        my $text = sprintf $figure->{format}, number($value);
        if (defined $figure->{reach} && $value > $figure->{reach}) {
            $is_over = 1;
            $text .= over($figure->{reach});
        }
        $text;
    } 0 .. $#values;
    my $line = {
        what => $row->{what}, figures => join('; ', @figures),
        against => sprintf($row->{against} // '', map { number($_) } @base),
        spread => $got{note} // join('; ', map { variation(@$_) }
                                           grep { @$_ > 1 } @$of),
    };
    $self->{row}{$key} = $line;
    printf FORMAT, $is_over ? 'OVER' : '', $line->{what}, $line->{figures},
        length $line->{against} ? " -- $line->{against}" : '',
        length $line->{spread} ? " ($line->{spread})" : '';
    return;
}

# How many numbers there are in what a row is against.
sub bases {
    my ($row) = @_;
    return scalar(() = ($row->{against} // '') =~ /%s/g);
}

sub over { my ($reach) = @_; return sprintf ' (**over %s**)', number($reach) }

sub failed {
    my ($self, $name, $why) = @_;
    chomp $why;
    $self->{failures}++;
    printf FORMAT, 'FAILED', $name, $why, '', '';
    return;
}

# Whatever these measurements should have added.
sub check {
    my ($self, @parts) = @_;
    my %part = map { $_ => 1 } @parts;
    for my $row (grep { $part{ $_->{part} } } Bench::Table::rows()) {
        $self->{row}{ $row->{key} }
            or $self->failed($row->{what}, 'not measured');
    }
    return;
}

# ---- the README -----------------------------------------------------------

# The text with the section between its marks written anew.
sub into {
    my ($self, $text, $about) = @_;
    my $section = join '', "$about\n\n", HEADER, map {
        my $line = $self->{row}{ $_->{key} } // die "$_->{key} is missing\n";
        sprintf "| %s |\n",
            join ' | ', @$line{qw(what figures against spread)};
    } Bench::Table::rows();
    my ($begin, $end) = (BEGIN_MARK, END_MARK);
    $text =~ s/^\Q$begin\E\n.*^\Q$end\E\n/$begin\n$section$end\n/ms
        or die "no place for the table: $begin\n";
    return $text;
}

# What that looks like: the head, the lines of the table, in a text that has it.
sub section {
    my ($text) = @_;
    my ($begin, $end) = (BEGIN_MARK, END_MARK);
    my ($about, $rows) = $text =~ /^\Q$begin\E\n
        (.*)\n\n\Q@{[HEADER]}\E(.*)^\Q$end\E\n/msx or return;
    return ($about, split /\n/, $rows);
}

# What such a line matches; nothing but its numbers may differ.
sub pattern {
    my ($row) = @_;
    my $figures = join '; ', map {
        numbers($_->{format})
            . (defined $_->{reach} ? '(?:' . quotemeta(over($_->{reach}))
               . ')?' : '')
    } @{ $row->{figures} };
    my $against = numbers($row->{against} // '');
    my $what = quotemeta $row->{what};
    return qr/^\| $what \| $figures \| $against \| [^|]* \|$/;
}

sub numbers {
    my ($format) = @_;
    my $pattern = quotemeta $format;
    $pattern =~ s/\\%s/-?[0-9,]+(?:[.][0-9]+)?/g;
    $pattern =~ s/\\%\\%/%/g;
    return $pattern;
}

# ---- numbers --------------------------------------------------------------

# Three digits that mean something.
sub number {
    my ($value) = @_;
    my $size = abs $value;
    my $text = $size >= 100 || $value == int $value ? sprintf '%.0f', $value
        : $size >= 10 ? sprintf '%.1f', $value
        : $size >= 0.1 ? sprintf '%.2f', $value
        : sprintf '%.3f', $value;
    $text =~ s/^-(?=[0.]+$)//;
    1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
    return $text;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    die "a median of nothing\n" unless @sorted;
    my $middle = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$middle]
        : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# Between which half of them are.
sub quartiles {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted[int($#sorted / 4 + 0.5), int(3 * $#sorted / 4 + 0.5)];
}

# "0.98 to 1.02 of 12"
sub variation {
    my @values = @_;
    return sprintf '%s to %s of %d', (map { number($_) } quartiles(@values)),
        scalar @values;
}

1;
