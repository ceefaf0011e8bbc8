#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Other modules veto, watch and request retirements.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Control qw(order);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

sub server {
    my ($mpm, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             modules => ['wsgi'], %more);
    my $object = $s->build_object('mod_retirement');
    my $script = $s->wsgi_script;
    $s->{config} .= "LoadModule retirement_module $object\n"
        . 'RetirementVeto ' . $s->path('work/veto') . "\n"
        . "ManagerMinAge 500ms\nManagerMaxMemoryIdle 150M\n"
        . "WSGIScriptAlias /app $script\nManagerSocket control.sock\n";
    # Whoever goes does so by the manager.
    $s->{config} .= "MaxSpareServers 10\n" if $mpm eq 'prefork';
    return $s->start;
}

sub record {
    my ($s, $pid) = @_;
    my ($record) = grep { $_->{pid} == $pid } @{ $s->json->{kills} };
    return $record;
}

sub noted {
    my ($s, $pid, $text) = @_;
    return wait_until(sub {
        grep { /retirement: .*pid=$pid .*$text/ }
            $s->log_lines(qr/retirement: /);
    }, 30, "$text of $pid");
}

# A veto holds against an order, and does not use up what the order may.
sub ordered {
    my ($s, $mpm) = @_;
    my @workers = sort { $a <=> $b } $s->workers;
    cmp_ok(scalar @workers, '>', 1, "$mpm: workers");
    $s->write('work/veto', "$workers[0]\n");
    my $answer = order($s->runtime_file('control.sock'), {
        order => 'retire', max_memory_idle_bytes => 1024,
        max_memory_active_bytes => 1024, max_kills => 1,
    });
    is_deeply($answer->{vetoed}, [$workers[0]], "$mpm: an order hears the veto");
    is(scalar @{ $answer->{retirements} }, 1, 'and has what it may');
    isnt($answer->{retirements}[0]{pid}, $workers[0], 'of the others');
    unlink $s->path('work/veto') or die "veto: $!\n";
    return;
}

# With few workers one may go at a time, and a vetoed one holds up no other.
sub others_go {
    my ($s) = @_;
    my $veto = $s->write('work/veto', '');
    ok(wait_until(sub { (my @all = $s->workers) > 2 }, 30, 'three workers'),
       'there are three workers');
    my @requests = map { $s->start_request("/app/leak?mb=$_&s=4") } 400, 200, 200;
    my ($vetoed, @others) = map {
        $_->wait(60);
        $_->bytes =~ /^pid=(\d+)/m;
    } @requests;
    is(scalar keys %{ { map { $_ => 1 } $vetoed, @others } }, 3,
       'three workers are over their limit');
    ok(wait_until(sub {
        grep { $_->{pid} == $vetoed && ($_->{cause} // '') eq 'veto' }
            @{ $s->json->{processes} };
    }, 30, 'a veto'), 'the largest is vetoed');
    $s->write('work/veto', "$vetoed\n");
    for my $pid (@others) {
        ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, 30, 'the end'),
           'another one goes');
    }
    ok(AMGR::Httpd::is_alive($vetoed), 'the vetoed one lives');
    unlink $veto or die "$veto: $!\n";
    ok(wait_until(sub { !AMGR::Httpd::is_alive($vetoed) }, 30, 'the end'),
       'until nobody vetoes it');
    return;
}

for my $mpm (qw(prefork event)) {
    my $s = server($mpm, name => "$mpm-veto");
    my $veto = $s->write('work/veto', '');
    my ($pid) = $s->get('/app/leak?mb=200')->content =~ /^pid=(\d+)/;
    ok(wait_until(sub {
        my ($p) = grep { $_->{pid} == $pid } @{ $s->json->{processes} };
        ($p->{cause} // '') eq 'veto';
    }, 30, 'a veto'), "$mpm: a veto is shown");
    ok($s->wait_ticks(5), 'five ticks');
    ok(AMGR::Httpd::is_alive($pid), "$mpm: the worker lives");
    is(record($s, $pid), undef, 'there is no record');
    is($s->json->{manager}{suppressed}{veto}, 1, 'counted once');
    is(scalar(my @l = $s->log_lines(qr/left alone: veto/)), 1, 'logged once');
    unlink $veto or die "$veto: $!\n";
    ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, 30, 'the end'),
       "$mpm: without the veto it goes");
    ok(noted($s, $pid, 'reason=memory_idle action=none outcome=pending'),
       "$mpm: other modules are asked");
    ok(noted($s, $pid, 'stage=1 .*action=ask outcome=pending|stage=1 pid='
             . $pid), 'and told of the step');
    ok(wait_until(sub { (record($s, $pid) // {})->{outcome} eq 'gone' }, 30,
                  'a finished record'), 'there is a record');
    is(scalar(my @e = $s->log_lines(qr/retirement: stage=2 pid=$pid /)), 1,
       "$mpm: and told once of the end");
    if ($mpm eq 'prefork') {
        ordered($s, $mpm);
        others_go($s);
    }
    $s->stop_ok;

    $s = server($mpm, name => "$mpm-wish");
    ok(wait_until(sub {
        my $json = $s->json;
        $json->{tick_time} && !grep { ($_->{age_seconds} // 0) < 0.7 }
            @{ $json->{processes} };
    }, 30, 'workers of some age'), 'workers of some age');
    my @before = $s->workers;
    my ($self, $status) = $s->get('/retire')->content
        =~ /^pid=(\d+) status=(-?\d+)/;
    is($status, 0, "$mpm: the wish is noted");
    ok(wait_until(sub { !AMGR::Httpd::is_alive($self) }, 30, 'the end'),
       "$mpm: the worker goes");
    is(record($s, $self)->{reason}, 'requested', 'for that reason');
    is(scalar(my @w = $s->log_lines(
        qr/Killing native worker $self \(\w+\) at the request of a module/)),
       1, 'logged as such');
    my ($ticker) = $s->ticker_pid;
    for my $stranger ($$, 1, $ticker, $s->parent_pid, 0, -1) {
        my ($got) = $s->get("/retire?pid=$stranger")->content
            =~ /status=(-?\d+)/;
        isnt($got, 0, "$mpm: $stranger is no worker");
    }
    ok($s->wait_ticks(5), 'five ticks');
    is("@{[ grep { $_ != $self && !AMGR::Httpd::is_alive($_) } @before ]}", '',
       "$mpm: nobody else goes");
    $s->stop_ok;
}

# Without the manager it loads all the same.
{
    my $s = AMGR::Httpd->new(mpm => 'event', name => 'alone', manager => 0,
                             location => 0);
    my $object = $s->build_object('mod_retirement');
    $s->{config} .= "LoadModule retirement_module $object\n";
    $s->start;
    like($s->get('/retire')->content, qr/ status=-1$/,
         'without a manager there is nobody to ask');
    $s->stop_ok;
}
done_testing();
