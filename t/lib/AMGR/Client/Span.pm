# SPDX-License-Identifier: Apache-2.0
#
# What a client must find between two readings of mod_status's ?auto: a counter
# between the two, a rate between the quotients of their ends, and whatever
# else is true now, exactly as the first reading has it.
#
# Names are mod_status's keys, and these of its figures:
#   letter X         how many of that letter are in the scoreboard
#   percent X        of all letters, rounded down
#   bytes            Total kBytes in bytes
#   free             idle workers and open slots
#   cpu user, cpu system   in milliseconds, children included
#   version          a.b.c as the number a.0b00c
package AMGR::Client::Span;

use strict;
use warnings;

use Exporter qw(import);
our @EXPORT_OK = qw(@LETTERS);

our @LETTERS = ('_', qw(S R W K D C L G I .));

use constant {
    DIGITS   => 1e-5,     # %g has six
    DECIMALS => 0.005,    # of a rate that a client rounds
};

my %is_counter = map { $_ => 1 } 'Total Accesses', 'Total kBytes',
    'Total Duration', 'Uptime', 'ServerUptimeSeconds', 'bytes', 'cpu user',
    'cpu system', 'CPUUser', 'CPUSystem', 'CPUChildrenUser',
    'CPUChildrenSystem';
my %quotient = (
    ReqPerSec      => ['Total Accesses', 'Uptime'],
    BytesPerSec    => ['bytes', 'Uptime'],
    BytesPerReq    => ['bytes', 'Total Accesses'],
    DurationPerReq => ['Total Duration', 'Total Accesses'],
    CPULoad        => ['cpu', 'Uptime'],
);

sub parse {
    my ($text) = @_;
    my %value;
    for my $line (split /\n/, $text) {
        my ($key, $value) = split /: /, $line, 2;
        $value{$key} //= $value if defined $value;
    }
    my $letters = $value{Scoreboard} // '';
    $value{"letter $_"} = () = $letters =~ /\Q$_\E/g for @LETTERS;
    $value{"percent $_"} = length $letters
        ? int(100 * $value{"letter $_"} / length $letters) : 0 for @LETTERS;
    $value{free} = ($value{IdleWorkers} // 0) + $value{'letter .'};
    $value{bytes} = $value{'Total kBytes'} * 1024
        if defined $value{'Total kBytes'};
    if (defined $value{CPUUser}) {
        $value{"cpu \L$_"} = 1000 * ($value{"CPU$_"} + $value{"CPUChildren$_"})
            for qw(User System);
        $value{cpu} = ($value{'cpu user'} + $value{'cpu system'}) / 10;
    }
    $value{version} = sprintf '%d.%02d%03d', $1, $2, $3
        if ($value{ServerVersion} // '') =~ m{^\w+/(\d+)\.(\d+)\.(\d+)};
    return \%value;
}

sub new {
    my ($class, $before, $after) = @_;
    return bless { before => parse($before), after => parse($after) }, $class;
}

sub is_number {
    my ($text) = @_;
    return $text =~ /\A[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\z/;
}

sub divided {
    my ($up, $down) = @_;
    return $down > 0 ? $up / $down : $up > 0 ? 9 ** 99 : 0;
}

# The least and the most it may be; nothing when mod_status has no such key.
sub range {
    my ($self, $key) = @_;
    my ($before, $after) = @$self{qw(before after)};
    if (my $of = $quotient{$key}) {
        my ($up, $down) = @$of;
        return unless defined $after->{$up} && defined $after->{$down};
        return map { divided(@$_) } [$before->{$up}, $after->{$down}],
            [$after->{$up}, $before->{$down}];
    }
    return unless defined $before->{$key};
    my $last = $is_counter{$key} ? $after->{$key} : $before->{$key};
    # What the machine does besides changes it at any time.
    $last = $after->{$key} if $key =~ /^Load\d/;
    return sort { $a <=> $b } $before->{$key}, $last
        if is_number($before->{$key});
    return ($before->{$key}, $last);
}

# What is wrong about the values a client found, when its names mean these
# keys; a name whose key there is not must not be found, or have its default.
sub wrong {
    my ($self, $found, $key_of, $default) = @_;
    my @wrong = map { "$_ is not expected" }
        grep { !exists $key_of->{$_} } sort keys %$found;
    for my $name (sort keys %$key_of) {
        my $value = $found->{$name};
        my ($low, $high) = $self->range($key_of->{$name});
        if (!defined $low) {
            my $want = $default->{$name};
            push @wrong, "$name: " . ($value // 'nothing') . ' instead of '
                . ($want // 'nothing')
                if ($want // 'nothing') ne ($value // 'nothing');
            next;
        }
        my $more = $quotient{ $key_of->{$name} } ? DECIMALS : 0;
        next if defined $value && within($value, $low, $high, $more);
        # mod_status has rates only when there is something to divide.
        next if !defined $value && $quotient{ $key_of->{$name} }
            && !defined $self->{before}{ $key_of->{$name} };
        next if defined $default->{$name} && defined $value
            && $value eq $default->{$name} && $low == 0;
        push @wrong, "$name: " . ($value // 'nothing')
            . ($low eq $high ? " instead of $low" : " is not in $low..$high");
    }
    return @wrong;
}

# The same of the names alone, while nothing stands still.
sub misnamed {
    my ($self, $found, $key_of, $default) = @_;
    my @wrong = map { "$_ is not expected" }
        grep { !exists $key_of->{$_} } sort keys %$found;
    return (@wrong, map { "$_ is missing" } grep {
        my ($low) = $self->range($key_of->{$_});
        !defined $found->{$_} && (defined $low || defined $default->{$_})
            && !$quotient{ $key_of->{$_} };
    } sort keys %$key_of);
}

sub within {
    my ($value, $low, $high, $more) = @_;
    return $value eq $low unless is_number($low);
    return is_number($value)
        && $value >= $low - DIGITS * abs($low) - $more
        && $value <= $high + DIGITS * abs($high) + $more;
}

1;
