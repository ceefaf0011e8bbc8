# SPDX-License-Identifier: Apache-2.0
#
# A graceful restart with fewer threads to a process: processes of before have
# requests in slots beyond those that new ones have.  They are waited for, timed
# and shown as all others are.
package AMGR::Case::Threads;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

use constant {
    SOON   => 30,
    BEFORE => 8, # threads of a process
    AFTER  => 2,
};

sub run {
    my ($mpm) = @_;
    my @cases = (drain_begin($mpm), time_begin($mpm));
    drain_end(shift @cases);
    time_end(shift @cases);
    done_testing();
    return;
}

# One process before the restart, and as many after it that no other is needed:
# worker would give that the row of the old one, whose first slots are free.
sub sizes {
    my ($threads) = @_;
    my $servers = $threads == BEFORE ? 1 : 4;
    my $workers = 6 * $threads;
    my $most = BEFORE;
    return <<"END";
StartServers $servers
ThreadsPerChild $threads
ThreadLimit $most
MinSpareThreads 1
MaxSpareThreads 48
ServerLimit 6
MaxRequestWorkers $workers
END
}

# Where the request of this path is: its process and slot.
sub place {
    my ($s, $path) = @_;
    for my $process (@{ $s->json->{processes} }) {
        my $slots = $process->{slots};
        my ($column) = grep {
            ($slots->[$_]{request} // '') =~ m{^GET \Q$path\E\b}
                && $slots->[$_]{mode} =~ /[WG]/
        } 0 .. $#$slots;
        return ($process, $column) if defined $column;
    }
    return;
}

# A server that has just one request, in a slot that its processes will not have
# after a restart; no thread can be chosen, so that there are others at first.
sub begin {
    my ($mpm, $name, $limits) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-$name",
                             interval => '500ms', mpm_config => sizes(BEFORE),
                             config => "ManagerMinAge 1s\nTimeout 300\n$limits");
    $s->write("htdocs/$_.html", "$_\n") for 0 .. AFTER;
    $s->start;
    my %held = map { $_ => $s->hold_request($_) } map { "/$_.html" } 0 .. AFTER;
    my $kept;
    wait_until(sub {
        ($kept) = grep { ((place($s, $_))[1] // -1) >= AFTER } sort keys %held;
    }, SOON, 'a request in such a slot');
    ok($kept, $s->name . ': a request in a slot that new processes lack')
        or die "no such request\n";
    my ($process) = place($s, $kept);
    $_->close_now for map { $held{$_} } grep { $_ ne $kept } keys %held;
    return { server => $s, path => $kept, request => $held{$kept},
             pid => $process->{pid} };
}

sub fewer {
    my ($case) = @_;
    my $s = $case->{server};
    $s->set_mpm_config(sizes(AFTER));
    ok($s->graceful, $s->name . ': a graceful restart with fewer threads');
    return;
}

sub shown {
    my ($case) = @_;
    my ($s, $path) = @$case{qw(server path)};
    my ($process, $column) = place($s, $path);
    is($process->{pid}, $case->{pid}, $s->name . ': the request is shown');
    is(scalar @{ $process->{slots} }, BEFORE,
       $s->name . ': among all the slots of its process');
    is($process->{slots}[$column]{slot}, $process->{slot} * AFTER + $column,
       $s->name . ': by the number that it would have in a new one');
    my $processes = $s->json->{processes};
    my %told;
    for my $one (@$processes) {
        $told{"$one->{pid} $_->{slot}"}++ for @{ $one->{slots} };
    }
    is(join(', ', grep { $told{$_} > 1 } sort keys %told), '',
       $s->name . ': no process has a number twice');
    my ($new) = grep { $_->{pid} != $case->{pid} && @{ $_->{slots} } }
        @$processes;
    is(scalar @{ $new->{slots} }, AFTER, $s->name . ': others have fewer');
    my ($of) = $s->get('/manager-status')->content
        =~ m{<li id="g-$case->{pid}">.*?<small>\d+ of (\d+) busy}s;
    is($of, BEFORE, $s->name . ': and so the page has it');
    return;
}

# ---- waited for ------------------------------------------------------------

# Asked to finish before the restart, which it does long after it.
sub drain_begin {
    my ($mpm) = @_;
    my $case = begin($mpm, 'drain',
                     "ManagerMaxLifetime 3s 0%\nManagerGracePeriod 90s\n");
    my $s = $case->{server};
    ok(wait_until(sub {
        grep { $_->{pid} == $case->{pid} && $_->{action} eq 'ask' }
            @{ $s->json->{kills} };
    }, SOON, 'its retirement'), $s->name . ': its process is asked to finish');
    fewer($case);
    shown($case);
    return $case;
}

sub drain_end {
    my ($case) = @_;
    my ($s, $request) = @$case{qw(server request)};
    my $name = $s->name;
    # One that has finished and has not gone is killed after two seconds.
    ok($s->wait_ticks(12), "$name: some ticks");
    ok(AMGR::Httpd::is_alive($case->{pid}), "$name: it is waited for");
    $request->let_go;
    ok($request->wait(SOON), "$name: the request ends");
    is($request->status, 200, "$name: it is answered");
    my $record = AMGR::Case::Retire::record($s, $case->{pid});
    is("$record->{reason} $record->{action} $record->{outcome}",
       'lifetime ask gone', "$name: the process was drained");
    is($record->{requests_lost}, undef, "$name: and nothing was killed");
    $s->stop_ok;
    return;
}

# ---- timed -----------------------------------------------------------------

sub time_begin {
    my ($mpm) = @_;
    my $case = begin($mpm, 'time', '');
    # On event a slot that finishes tells no more when its request began.
    ok($case->{server}->wait_ticks(2), "$mpm-time: a tick has seen it");
    $case->{server}->set_config("ManagerMinAge 1s\nTimeout 300\n"
                                . "ManagerMaxTime 3s\nManagerStrikes 1\n");
    fewer($case);
    return $case;
}

sub time_end {
    my ($case) = @_;
    my $s = $case->{server};
    my $name = $s->name;
    AMGR::Case::Retire::gone($s, $case->{pid}, SOON,
                             "$name: a process whose request hangs ends");
    my $record = AMGR::Case::Retire::record($s, $case->{pid});
    is($record->{reason}, 'time', "$name: for the time that it took");
    like($record->{request}, qr/^GET \Q$case->{path}\E/,
         "$name: by that request");
    $case->{request}->close_now;
    $s->stop_ok;
    return;
}

1;
