# SPDX-License-Identifier: Apache-2.0
#
# Zabbix's expressions as far as the shipped templates use them: numbers with a
# suffix, macros, comparisons, arithmetic, and functions of an item's history.
package AMGR::ZabbixExpression;

use strict;
use warnings;

use Exporter qw(import);
our @EXPORT_OK = qw(parse_expression calls_of evaluate seconds);

# How many parameters a function takes after the item, at least and at most.
my %functions = (
    last   => [0, 0],
    change => [0, 0],
    min    => [1, 1],
    max    => [1, 1],
    avg    => [1, 1],
    nodata => [1, 1],
);
my %suffix = (s => 1, m => 60, h => 3600, d => 86_400, w => 604_800,
              K => 2**10, M => 2**20, G => 2**30, T => 2**40);
my $time = qr/\d+[smhdw]?/;
# Weakest first.
my @operators = (qr/and|or/, qr/<>|<=|>=|[=<>]/, qr/[-+]/, qr{[*/]});

# The tree of an expression; dies with what is wrong with it.
sub parse_expression {
    my ($text) = @_;
    my $tree = binary(\$text, 0);
    $text =~ /\G\s*\z/gc or die 'rest: ' . rest(\$text) . "\n";
    return $tree;
}

sub rest {
    my ($text) = @_;
    return substr $$text, pos($$text) // 0;
}

sub binary {
    my ($text, $level) = @_;
    return primary($text) if $level == @operators;
    my $left = binary($text, $level + 1);
    while ($$text =~ /\G\s*($operators[$level])\s*/gc) {
        my $operator = $1;
        $left = { is => 'binary', operator => $operator, left => $left,
                  right => binary($text, $level + 1) };
    }
    return $left;
}

sub primary {
    my ($text) = @_;
    if ($$text =~ /\G\s*\(/gc) {
        my $inner = binary($text, 0);
        $$text =~ /\G\s*\)/gc or die 'no ): ' . rest($text) . "\n";
        return $inner;
    }
    return { is => 'number', value => seconds($1) }
        if $$text =~ /\G\s*(-?\d+(?:\.\d+)?[smhdwKMGT]?)(?![\w.])/gc;
    return { is => 'macro', name => $1, context => $2 }
        if $$text =~ /\G\s*(\{\$[A-Z][A-Z0-9_.]*)(?::"([^"]*)")?\}/gc;
    return call($text, $1) if $$text =~ /\G\s*([a-z]+)\(/gc;
    die 'what is: ' . rest($text) . "\n";
}

# NAME(/HOST/KEY,PARAMETER...), the host being empty in a calculated item.
sub call {
    my ($text, $name) = @_;
    my $limits = $functions{$name} or die "no function $name()\n";
    $$text =~ m{\G/([^/(),]*)/([\w.-]+(?:\[(?:[^\]"]|"[^"]*")*\])?)}gc
        or die "no item in $name(): " . rest($text) . "\n";
    my %call = (is => 'call', name => $name, host => $1, key => $2);
    push @{ $call{parameters} }, $1
        while $$text =~ /\G,\s*($time|\{\$[A-Z0-9_.]+\})/gc;
    $$text =~ /\G\)/gc or die "$name() does not end: " . rest($text) . "\n";
    my $count = @{ $call{parameters} // [] };
    die "$name() has $count parameters\n"
        if $count < $limits->[0] || $count > $limits->[1];
    return \%call;
}

sub calls_of {
    my ($tree) = @_;
    return $tree if $tree->{is} eq 'call';
    return map { calls_of($_) } grep { defined } @$tree{qw(left right)};
}

# A number by its suffix; units of bytes are Zabbix's, too.
sub seconds {
    my ($text) = @_;
    my ($number, $suffix) = $text =~ /^(-?[\d.]+)([a-zA-Z]?)$/
        or die "number $text\n";
    return $number * ($suffix eq '' ? 1 : $suffix{$suffix});
}

# The value with { key => [[age in seconds, value], newest first] } and
# { macro => value }; undef where Zabbix would have none.
sub evaluate {
    my ($tree, $history, $macros) = @_;
    if ($tree->{is} eq 'number') {
        return $tree->{value};
    }
    elsif ($tree->{is} eq 'macro') {
        return seconds($macros->{"$tree->{name}}"}
                       // die "no macro $tree->{name}}\n");
    }
    elsif ($tree->{is} eq 'call') {
        return value_of($tree, $history->{ $tree->{key} } // []);
    }
    my ($left, $right) = map { evaluate($_, $history, $macros) }
        @$tree{qw(left right)};
    return if !defined $left || !defined $right;
    return $tree->{operator} eq '='  ? 0 + ($left == $right)
         : $tree->{operator} eq '<>' ? 0 + ($left != $right)
         : $tree->{operator} eq '<'  ? 0 + ($left < $right)
         : $tree->{operator} eq '>'  ? 0 + ($left > $right)
         : $tree->{operator} eq '+'  ? $left + $right
         : $tree->{operator} eq '*'  ? $left * $right
         : $tree->{operator} eq '/'  ? ($right ? $left / $right : undef)
         : die "operator $tree->{operator} is not evaluated\n";
}

sub value_of {
    my ($call, $history) = @_;
    my $name = $call->{name};
    my $period = $call->{parameters} ? seconds($call->{parameters}[0]) : 0;
    my @values = map { $_->[1] }
        grep { !$period || $_->[0] < $period } @$history;
    return @values ? 0 : 1 if $name eq 'nodata';
    return if !@values;
    return $values[0] if $name eq 'last';
    if ($name eq 'change') {
        return @values < 2 ? undef : $values[0] - $values[1];
    }
    @values = sort { $a <=> $b } @values;
    return $name eq 'min' ? $values[0] : $name eq 'max' ? $values[-1]
         : die "$name() is not evaluated\n";
}

1;
