# SPDX-License-Identifier: Apache-2.0
#
# A loop that reads the data file: never a part of one, and no counter in it
# goes back.  Says ['read', N] once a second, ['gone'] when there is none, and
# ['partial', TEXT] or ['less', NAME, BEFORE, NOW].
package Chaos::Reader;

use strict;
use warnings;

use Chaos::Helper;
use Time::HiRes qw(sleep time);

use constant PAUSE_SEC => 0.003;

my @keys = (qw(busy-workers bytes-per-request bytes-per-second cpu-load
    idle-workers requests-per-second total-accesses total-traffic uptime
    foreign-worker-count native-worker-count status-response workers-hanging
    workers-killed-active workers-killed-idle),
    map { "memory-usage native $_" } qw(count min max average median));
my @counters = qw(workers-killed-active workers-killed-idle);

sub start {
    my ($class, $file) = @_;
    my %seen;
    my ($read, $told, $was_there) = (0, time, 0);
    return Chaos::Helper->start(sub {
        my ($say) = @_;
        my $text = whole($file);
        $say->('gone') if !defined $text && $was_there;
        $was_there = defined $text;
        if (defined $text) {
            my %value = parse($text);
            my @missing = grep { !exists $value{$_} } @keys;
            $say->('partial', $text) if @missing || $text !~ /\n\z/;
            for my $name (@counters) {
                my $now = $value{$name} // next;
                $say->('less', $name, $seen{$name}, $now)
                    if $now < ($seen{$name} // 0);
                $seen{$name} = $now;
            }
            $read++;
        }
        if (time - $told >= 1) {
            $say->('read', $read);
            ($read, $told) = (0, time);
        }
        sleep PAUSE_SEC;
    });
}

sub whole {
    my ($file) = @_;
    open my $fh, '<:raw', $file or return;
    local $/;
    return scalar(<$fh>) // '';
}

sub parse {
    my ($text) = @_;
    my %value;
    for my $line (split /\n/, $text) {
        my @field = split /\t/, $line;
        my $number = pop @field;
        $value{"@field"} = $number
            if defined $number && $number =~ /^-?\d+(?:\.\d+)?$/;
    }
    return %value;
}

1;
