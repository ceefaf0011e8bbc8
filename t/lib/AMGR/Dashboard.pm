# SPDX-License-Identifier: Apache-2.0
#
# A Grafana dashboard as a file: what is wrong with its structure, and all that
# it asks of a Prometheus, with variables put in as Grafana does.
#
#   my $d = AMGR::Dashboard->new($text);
#   is_deeply([$d->problems], []);
#   for my $q ($d->queries) {
#       $prometheus->query(AMGR::Dashboard::expand($q->{expr}, \%values));
#   }
#
# It knows the structure that Grafana documents for its classic JSON model, as
# far as this dashboard has need of it; whatever it does not know is a problem.
package AMGR::Dashboard;

use strict;
use warnings;

use JSON::PP ();

use constant {
    COLUMNS        => 24,
    SCHEMA_VERSION => 38, # Grafana 10.0 to 10.2, and read by all after it
};

# Kinds of panels and the options that each must have.
my %options = (
    stat             => [qw(colorMode graphMode reduceOptions textMode)],
    table            => [qw(showHeader)],
    timeseries       => [qw(legend tooltip)],
    'state-timeline' => [qw(legend tooltip showValue)],
    heatmap          => [qw(calculate color yAxis)],
);

# What Grafana puts in by itself.
my %built_in = map { $_ => 1 } qw(__rate_interval __interval __range);

# Units of Grafana that are used here.
my %units = map { $_ => 1 }
    qw(none short bytes s reqps Bps hertz percentunit);

sub new {
    my ($class, $text) = @_;
    return bless { root => JSON::PP->new->utf8->decode($text) }, $class;
}

sub root { return $_[0]{root} }

# Every panel but rows, those within collapsed rows too.
sub panels {
    my ($self) = @_;
    return grep { $_->{type} ne 'row' } $self->all_panels;
}

sub all_panels {
    my ($self) = @_;
    return map { ($_, @{ $_->{panels} // [] }) } @{ $self->{root}{panels} };
}

sub variables { my ($self) = @_; return @{ $self->{root}{templating}{list} } }

sub annotations {
    my ($self) = @_;
    return grep { !$_->{builtIn} } @{ $self->{root}{annotations}{list} };
}

# All that is asked: { where, expr, kind => range|instant|variable }.
sub queries {
    my ($self) = @_;
    my @found;
    for my $panel ($self->panels) {
        for my $target (@{ $panel->{targets} // [] }) {
            push @found, {
                where => "$panel->{title} $target->{refId}",
                expr  => $target->{expr},
                kind  => $target->{instant} ? 'instant' : 'range',
            };
        }
    }
    push @found, map { { where => "annotation $_->{name}",
                         expr => $_->{expr}, kind => 'range' } }
        $self->annotations;
    push @found, map { { where => "variable $_->{name}",
                         expr => $_->{query}{query}, kind => 'variable' } }
        grep { $_->{type} eq 'query' } $self->variables;
    return @found;
}

# "$name" and "${name}" as their values; what has none is fatal.
sub expand {
    my ($expr, $values) = @_;
    my $put = sub {
        my ($name) = @_;
        die "$expr: \$$name has no value\n" unless defined $values->{$name};
        return $values->{$name};
    };
    $expr =~ s/\$(?:\{(\w+)\}|(\w+))/$put->($1 \/\/ $2)/ge;
    return $expr;
}

# ---- what is wrong --------------------------------------------------------

sub problems {
    my ($self) = @_;
    return ($self->wrong_frame, $self->wrong_ids, $self->wrong_places,
            $self->wrong_variables, $self->wrong_sources,
            map { wrong_panel($_) } $self->panels);
}

sub wrong_frame {
    my ($self) = @_;
    my $root = $self->{root};
    my @wrong;
    push @wrong, 'id is not null: it belongs to one Grafana'
        unless exists $root->{id} && !defined $root->{id};
    push @wrong, 'uid is no word of at most 40 letters'
        unless ($root->{uid} // '') =~ /^[A-Za-z0-9_-]{1,40}$/;
    push @wrong, 'no title' unless length($root->{title} // '');
    push @wrong, 'schemaVersion is not ' . SCHEMA_VERSION
        unless ($root->{schemaVersion} // 0) == SCHEMA_VERSION;
    push @wrong, 'no time range'
        unless ($root->{time}{from} // '') =~ /^now-\d+[mhd]$/
            && ($root->{time}{to} // '') eq 'now';
    my %required = map { $_->{type} . ' ' . $_->{id} => 1 }
        @{ $root->{__requires} // [] };
    my %used = map { ("panel $_->{type}" => 1) } $self->panels;
    $used{'grafana grafana'} = $used{'datasource prometheus'} = 1;
    push @wrong, map { "__requires lacks $_" }
        grep { !$required{$_} } sort keys %used;
    push @wrong, map { "__requires has $_, which nothing uses" }
        grep { !$used{$_} } sort keys %required;
    # An input is asked for at an import and stays a hole where dashboards are
    # read from files; a variable is good for both.
    push @wrong, '__inputs is not the empty list'
        if ref $root->{__inputs} ne 'ARRAY' || @{ $root->{__inputs} };
    return @wrong;
}

sub wrong_ids {
    my ($self) = @_;
    my (@wrong, %id, %title);
    for my $panel ($self->all_panels) {
        my $title = $panel->{title} // '';
        push @wrong, 'a panel without a title' unless length $title;
        push @wrong, "$title: the title stands twice" if $title{$title}++;
        my $id = $panel->{id} // '';
        push @wrong, "$title: no id" unless $id =~ /^[1-9]\d*$/;
        push @wrong, "$title: its id stands twice" if $id{$id}++;
    }
    return @wrong;
}

# Within the columns, and no two at one place.
sub wrong_places {
    my ($self) = @_;
    my (@wrong, %taken);
    for my $panel ($self->all_panels) {
        my ($title, $at) = @$panel{qw(title gridPos)};
        my ($x, $y, $w, $h) = map { $at->{$_} // -1 } qw(x y w h);
        if ($x < 0 || $y < 0 || $w < 1 || $h < 1 || $x + $w > COLUMNS) {
            push @wrong, "$title: not within the columns";
            next;
        }
        my %over;
        for my $place (map { my $row = $_; map { "$_,$row" } $x .. $x + $w - 1 }
                       $y .. $y + $h - 1) {
            $over{ $taken{$place} } = 1 if defined $taken{$place};
            $taken{$place} = $title;
        }
        push @wrong, map { "$title: over $_" } sort keys %over;
    }
    return @wrong;
}

# Each that is used is there, and each that is there is used; a variable is
# asked for after those that its query uses.
sub wrong_variables {
    my ($self) = @_;
    my (@wrong, %known, %used);
    for my $variable ($self->variables) {
        my $name = $variable->{name};
        push @wrong, "variable $name stands twice" if $known{$name};
        if ($variable->{type} eq 'query') {
            push @wrong, "variable $name: \$$_ is not known before it"
                for grep { !$known{$_} } names_in($variable->{query}{query});
            push @wrong, "variable $name: query and definition differ"
                if $variable->{query}{query} ne $variable->{definition};
            push @wrong, "variable $name: is not multi with an All that "
                . 'finds servers without the label'
                unless $variable->{multi} && $variable->{includeAll}
                    && $variable->{allValue} eq '.*';
        }
        $known{$name} = 1;
    }
    for my $query ($self->queries) {
        for my $name (names_in($query->{expr})) {
            $used{$name} = 1;
            push @wrong, "$query->{where}: \$$name is not known"
                unless $known{$name} || $built_in{$name};
        }
    }
    $used{datasource} = 1; # see wrong_sources()
    push @wrong, map { "variable $_ is not used" }
        grep { !$used{$_} } sort keys %known;
    return @wrong;
}

sub names_in {
    my ($expr) = @_;
    return map { $_ // () } ($expr // '') =~ /\$(?:\{(\w+)\}|(\w+))/g;
}

# Everybody asks the same source: the one chosen.
sub wrong_sources {
    my ($self) = @_;
    my @asking = ((map { [$_->{title}, $_->{datasource}] } $self->panels),
                  (map { my $panel = $_; map { ["$panel->{title} $_->{refId}",
                                                $_->{datasource}] }
                         @{ $panel->{targets} // [] } } $self->panels),
                  (map { ["annotation $_->{name}", $_->{datasource}] }
                   $self->annotations),
                  (map { ["variable $_->{name}", $_->{datasource}] }
                   grep { $_->{type} eq 'query' } $self->variables));
    my @wrong = map { "$_->[0]: its data source is not the one chosen" }
        grep { ref $_->[1] ne 'HASH' || $_->[1]{type} ne 'prometheus'
               || $_->[1]{uid} ne '${datasource}' } @asking;
    my ($chosen) = grep { $_->{name} eq 'datasource' } $self->variables;
    push @wrong, 'no variable chooses a data source'
        unless $chosen && $chosen->{type} eq 'datasource'
            && $chosen->{query} eq 'prometheus';
    return @wrong;
}

sub wrong_panel {
    my ($panel) = @_;
    my $title = $panel->{title} // '';
    my @wrong;
    push @wrong, "$title: $panel->{type} is not known"
        unless $options{ $panel->{type} };
    push @wrong, map { "$title: options lack $_" }
        grep { !exists $panel->{options}{$_} }
        @{ $options{ $panel->{type} } // [] };
    push @wrong, "$title: no description"
        unless ($panel->{description} // '') =~ /^[A-Z].*\.$/;
    push @wrong, "$title: asks nothing" unless @{ $panel->{targets} // [] };
    my %ref;
    for my $target (@{ $panel->{targets} // [] }) {
        my $name = "$title $target->{refId}";
        push @wrong, "$name: stands twice" if $ref{ $target->{refId} }++;
        push @wrong, "$name: no expression"
            unless length($target->{expr} // '');
        push @wrong, "$name: neither instant nor a range, or both"
            if !$target->{instant} == !$target->{range};
    }
    push @wrong, wrong_unit($panel);
    return @wrong;
}

# A verdict and a state have words and no unit.
sub wrong_unit {
    my ($panel) = @_;
    my $defaults = $panel->{fieldConfig}{defaults};
    my $unit = $panel->{type} eq 'heatmap' ? $panel->{options}{yAxis}{unit}
             : $defaults->{unit};
    return if $panel->{type} eq 'table' || @{ $defaults->{mappings} // [] };
    return "$panel->{title}: no unit" unless defined $unit;
    return $units{$unit} ? () : "$panel->{title}: the unit $unit is not known";
}

1;
