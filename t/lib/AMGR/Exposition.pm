# SPDX-License-Identifier: Apache-2.0
#
# Reads metrics in Prometheus's text format 0.0.4 ("text") or OpenMetrics 1.0
# ("openmetrics") as strictly as the strictest reader, and more strictly where
# promtool sees nothing: duplicate samples, split families, heads at a wrong
# place, histograms that contradict themselves.
#
#   my $m = AMGR::Exposition->new($text, 'text');
#   is_deeply([$m->errors], []);
#   $m->value('x_total', mode => 'user');      # undef when it is not there
#   $m->families;                              # names in their order
package AMGR::Exposition;

use strict;
use warnings;

use Encode ();

my $name = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $number = qr/[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN/;
my %known = map { $_ => 1 } qw(gauge counter histogram);
my %suffixes = (
    text        => { gauge => [''], counter => [''],
                     histogram => [qw(_bucket _sum _count)] },
    openmetrics => { gauge => [''], counter => ['_total'],
                     histogram => [qw(_bucket _sum _count)] },
);

sub new {
    my ($class, $text, $format) = @_;
    die "no format: $format\n" unless $suffixes{$format};
    my $self = bless { format => $format, errors => [], family => {},
                       order => [], sample => {} }, $class;
    $self->read_text($text);
    return $self;
}

sub errors { return @{ $_[0]{errors} } }
sub families { return @{ $_[0]{order} } }
sub type { return $_[0]{family}{ $_[1] }{type} }
sub unit { return $_[0]{family}{ $_[1] }{unit} }
sub help { return $_[0]{family}{ $_[1] }{help} }

# "name{a="b"}" => value, labels in the order of their names.
sub samples { return $_[0]{sample} }

sub value {
    my ($self, $sample, %labels) = @_;
    return $self->{sample}{ key_of($sample, \%labels) };
}

# Values of a sample's name by one of its labels.
sub by_label {
    my ($self, $sample, $label) = @_;
    my %value;
    for my $family (values %{ $self->{family} }) {
        for my $s (grep { $_->{name} eq $sample } @{ $family->{samples} }) {
            $value{ $s->{labels}{$label} // '' } = $s->{value};
        }
    }
    return \%value;
}

sub key_of {
    my ($sample, $labels) = @_;
    return $sample unless %$labels;
    return $sample . '{'
        . join(',', map { qq($_="$labels->{$_}") } sort keys %$labels) . '}';
}

sub wrong {
    my ($self, $what) = @_;
    my $where = $self->{line} ? "line $self->{line}: " : '';
    push @{ $self->{errors} }, $where . $what;
    return;
}

sub is_open { return $_[0]{format} eq 'openmetrics' }

sub read_text {
    my ($self, $text) = @_;
    $self->wrong('it is not UTF-8') unless defined eval {
        Encode::decode('UTF-8', my $copy = $text, Encode::FB_CROAK);
    };
    $self->wrong('no new line at the end') unless $text =~ /\n\z/;
    my @lines = split /\n/, $text, -1;
    pop @lines if @lines && $lines[-1] eq '';
    if ($self->is_open) {
        $self->wrong('no # EOF at the end')
            unless @lines && $lines[-1] eq '# EOF';
    }
    for my $line (@lines) {
        $self->{line}++;
        $self->read_line($line);
    }
    delete $self->{line};
    $self->check_family($_) for @{ $self->{order} };
    return;
}

sub read_line {
    my ($self, $line) = @_;
    $self->wrong('a line after # EOF') if $self->{eof};
    if ($line eq '') {
        $self->wrong('an empty line') if $self->is_open;
    }
    elsif ($line eq '# EOF' && $self->is_open) {
        $self->{eof} = 1;
    }
    elsif ($line =~ /^# (HELP|TYPE|UNIT) ($name)(?: (.*))?\z/
           && ($1 ne 'UNIT' || $self->is_open)) {
        $self->read_head(lc $1, $2, $3 // '');
    }
    elsif ($line =~ /^#/) {
        $self->wrong("a head that is none: $line")
            if $self->is_open || $line =~ /^#\s*(?:HELP|TYPE)\b/;
    }
    else {
        $self->read_sample($line);
    }
    return;
}

# The family that is being read; another one's end is final.
sub enter {
    my ($self, $family) = @_;
    my $known = $self->{family}{$family};
    if (!$known) {
        push @{ $self->{order} }, $family;
        $known = $self->{family}{$family} = { samples => [] };
    }
    elsif ($self->{current} ne $family) {
        $self->wrong("$family is split");
    }
    $self->{current} = $family;
    return $known;
}

sub read_head {
    my ($self, $kind, $family, $text) = @_;
    my $known = $self->enter($family);
    $self->wrong("$kind of $family twice") if exists $known->{$kind};
    $self->wrong("$kind of $family after its samples")
        if @{ $known->{samples} };
    $known->{$kind} = $text;
    if ($kind eq 'type') {
        $self->wrong("$family: type $text") unless $known{$text};
        my $has_total = $family =~ /_total\z/;
        $self->wrong("$family: a counter without _total")
            if $text eq 'counter' && !$self->is_open && !$has_total;
        $self->wrong("$family: _total in the name of a family")
            if $has_total && ($text ne 'counter' || $self->is_open);
    }
    if ($kind eq 'help') {
        my $escapes = $self->is_open ? qr/\\[\\n"]/ : qr/\\[\\n]/;
        $self->wrong("$family: a bad escape in its help")
            if $text =~ s/$escapes//gr =~ /\\/;
    }
    $self->wrong("$family does not end in its unit $text")
        if $kind eq 'unit' && $family !~ /_\Q$text\E\z/;
    return;
}

sub read_labels {
    my ($self, $text) = @_;
    my %labels;
    while ($text =~ /\G([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|\z)/gc) {
        my ($label, $value) = ($1, $2);
        $self->wrong("label $label twice") if exists $labels{$label};
        $self->wrong("a bad escape in label $label")
            if $value =~ s/\\[\\"n]//gr =~ /\\/;
        $labels{$label} = $value =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ger;
    }
    $self->wrong("labels that cannot be read: $text")
        if (pos($text) // 0) < length $text || $text =~ /,\z/;
    return \%labels;
}

sub read_sample {
    my ($self, $line) = @_;
    if ($line !~ /^($name)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? ($number)\z/) {
        return $self->wrong("no sample: $line");
    }
    my ($sample, $labels, $value) = ($1, $2, $3);
    $labels = $self->read_labels($labels // '');
    my $family = $self->family_of($sample);
    if (!defined $family) {
        return $self->wrong("$sample is of no family with a type");
    }
    my $known = $self->enter($family);
    my $key = key_of($sample, $labels);
    $self->wrong("$key twice") if exists $self->{sample}{$key};
    $self->wrong("$key is $value") if $value =~ /NaN|Inf/;
    $self->wrong("$key is negative")
        if $known->{type} ne 'gauge' && $value =~ /^-/;
    $self->{sample}{$key} = $value;
    push @{ $known->{samples} },
        { name => $sample, labels => $labels, value => $value };
    return;
}

# Of the families with a type: whichever has a sample of this name.
sub family_of {
    my ($self, $sample) = @_;
    my @found;
    while (my ($family, $known) = each %{ $self->{family} }) {
        my $ends = $suffixes{ $self->{format} }{ $known->{type} // '' } or next;
        push @found, $family if grep { $sample eq $family . $_ } @$ends;
    }
    $self->wrong("$sample could be of @found") if @found > 1;
    return $found[0];
}

sub check_family {
    my ($self, $family) = @_;
    my $known = $self->{family}{$family};
    for my $kind (qw(help type)) {
        $self->wrong("$family has no $kind") unless exists $known->{$kind};
    }
    $self->wrong("$family has no samples") unless @{ $known->{samples} };
    $self->check_histogram($family)
        if ($known->{type} // '') eq 'histogram';
    return;
}

# One series of it for each set of the other labels.
sub check_histogram {
    my ($self, $family) = @_;
    my %series;
    for my $sample (@{ $self->{family}{$family}{samples} }) {
        my %labels = %{ $sample->{labels} };
        my $le = delete $labels{le};
        my ($end) = $sample->{name} =~ /_([a-z]+)\z/;
        my $series = $series{ key_of($family, \%labels) } //= {};
        if ($end ne 'bucket') {
            $self->wrong("$sample->{name} has a label le") if defined $le;
            $series->{$end} = $sample->{value};
        }
        elsif (!defined $le) {
            $self->wrong("$sample->{name} without le");
        }
        else {
            push @{ $series->{buckets} }, [$le, $sample->{value}];
        }
    }
    for my $key (sort keys %series) {
        $self->check_buckets($key, $series{$key});
    }
    return;
}

sub check_buckets {
    my ($self, $key, $series) = @_;
    my @buckets = @{ $series->{buckets} // [] };
    for my $i (1 .. $#buckets) {
        my ($le, $before) = ($buckets[$i][0], $buckets[$i - 1][0]);
        $self->wrong("$key: le $le after $before")
            if $before eq '+Inf' || ($le ne '+Inf' && $le <= $before);
        $self->wrong("$key: bucket $le decreases")
            if $buckets[$i][1] < $buckets[$i - 1][1];
    }
    for my $end (qw(sum count)) {
        $self->wrong("$key has no _$end") unless defined $series->{$end};
    }
    if (!@buckets || $buckets[-1][0] ne '+Inf') {
        $self->wrong("$key has no bucket +Inf");
    }
    elsif (defined $series->{count}
           && $buckets[-1][1] != $series->{count}) {
        $self->wrong("$key: bucket +Inf is not its _count");
    }
    return;
}

1;
