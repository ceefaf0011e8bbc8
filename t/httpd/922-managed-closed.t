#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Orders over HTTP where a directory above the runtime directory is closed to
# httpd's User: they get through, workers do not get out to what is closed to
# them, and where there is no way the refusal tells why.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use JSON::PP ();

use constant {
    SOON    => 30,
    REFUSED => qr/AMGR0045: order over HTTP refused: /,
    NO_WAY  => qr/AMGR0045: orders over HTTP will be refused: httpd's User cannot go through /,
};

my $is_root = AMGR::Httpd::is_root();

# Of what stands beside the runtime directory, what a worker gets at by one of
# its descriptors, and how many of those lead to the socket.
my $escape = <<'END';
import json, os
def application(environ, start_response):
    out, ways = [], 0
    for fd in os.listdir('/proc/self/fd'):
        here = '/proc/self/fd/' + fd
        ways += os.path.exists(here + '/apache-managed.sock')
        for name in ('/../secret', '/../run/apache-managed.sock',
                     '/../../open/secret'):
            if os.path.exists(here + name):
                out.append(here + name)
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({'out': out, 'ways': ways,
                        'uid': os.getuid()}).encode()]
END

sub server {
    my ($name, $closed, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', modules => ['wsgi'],
                             name => $name, %more);
    my $dir = $s->path('closed');
    for (['', $closed], ['/open', 0755], ['/open/run', 0755]) {
        my ($below, $mode) = @$_;
        mkdir "$dir$below" or die "$dir$below: $!\n";
        chmod $mode, "$dir$below" or die "$dir$below: $!\n";
    }
    $s->write('closed/open/secret', '');
    $s->{runtime_dir} = "$dir/open/run";
    AMGR::Managed::prepare($s);
    my $script = $s->write('work/escape.wsgi', $escape);
    $s->set_config("ManagerControl On\nWSGIScriptAlias /escape $script\n"
                   . AMGR::Managed::section($s, 'web'));
    return $s->start;
}

sub order {
    my ($s, $what) = @_;
    my $token = $s->json('/manager-status/processes')->{token};
    return $s->request(POST => "/manager-status/processes/$what",
                       'X-Manager-Token' => $token);
}

sub error_of { return JSON::PP->new->utf8->decode($_[0]->content)->{error} }

# The process is another one after an order.
sub restarts {
    my ($s, $when) = @_;
    my $before = AMGR::Managed::wait_for($s, 'web', 'READY')->{pid};
    my $answer = order($s, 'web/restart?wait=30');
    is($answer->code, 200, "$when: an order is obeyed")
        or diag($answer->content);
    isnt(AMGR::Managed::one($s, 'web')->{pid}, $before, "$when: it is another");
    return;
}

sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }

# ---- a way past a closed directory ------------------------------------------

# Bit 21: CAP_SYS_ADMIN.
my $can_mount = AMGR::Httpd::slurp('/proc/self/status')
    =~ /^CapEff:\s*\w*[2367abef]\w{5}$/m;

if ($can_mount || !$is_root) {
    my $s = server('closed', 0700);
    restarts($s, 'from the start');
    my $seen = $s->json('/escape');
    is_deeply($seen->{out}, [], 'no worker gets out')
        or diag('by ' . join ' ', @{ $seen->{out} });
    if ($is_root) {
        isnt($seen->{uid}, 0, 'nor has it the right to go there');
        is($seen->{ways}, 1, 'of what it has, one leads to the socket');
    }

    my $old = AMGR::Managed::supervisor($s);
    $s->expect_log(qr/AMGR0040: supervisor $old ended by itself/);
    kill KILL => $old;
    ok(AMGR::Managed::supervisor($s, $old), 'the supervisor is another');
    restarts($s, 'with another supervisor');

    $s->graceful;
    restarts($s, 'after a graceful restart');
    my $parent = $s->parent_pid;
    my $count = descriptors($parent);
    $s->graceful for 1 .. 5;
    ok(wait_until(sub { descriptors($parent) == $count }, SOON,
                  'as many descriptors as before'),
       'restarts leave no descriptor behind')
        or diag("$count before, now " . descriptors($parent));

    # A configuration by which nobody orders has no such descriptor.
    if ($is_root) {
        $s->set_config($s->{config} =~ s/ManagerControl On/ManagerControl Off/r);
        $s->graceful;
        ok(wait_until(sub { $s->json('/escape')->{ways} == 0 }, SOON,
                      'workers without a descriptor'),
           'where no orders are taken there is no way');
    }
    $s->stop_ok;
}

# ---- none is needed -----------------------------------------------------------

{
    my $s = server('open', 0711);
    restarts($s, 'where all is open');
    is($s->json('/escape')->{ways}, 0, 'a worker has no such descriptor');
    $s->stop_ok;
}

# ---- there is none --------------------------------------------------------------

# Root without the right to mount; somebody else who closes it to himself.
{
    my $s = server('no-way', $is_root ? 0700 : 0755, $is_root
        ? (launcher => [qw(setpriv --bounding-set -sys_admin)]) : ());
    my $socket = $s->runtime_file('apache-managed.sock');
    $s->expect_log(REFUSED, NO_WAY);
    if ($is_root) {
        my ($line) = $s->log_lines(NO_WAY);
        like($line, qr/through \Q${\$s->path('closed')} to $socket\E,/,
             'the start tells which directory and which socket');
    }
    my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
    my $token = $s->json('/manager-status/processes')->{token};
    chmod 0, $s->path('closed') unless $is_root;
    my $answer = order($s, 'web/restart');
    is($answer->code, 503, 'an order without a way');
    my $why = "the supervisor cannot be reached now: $socket: "
        . 'Permission denied';
    is(error_of($answer), $why, 'its answer tells socket and reason');
    my ($line) = $s->log_lines(REFUSED);
    like($line, qr/: 503, \Q$why\E$/, 'and so does the log');
    is(AMGR::Managed::one($s, 'web')->{pid}, $web->{pid}, 'nothing was done');
    chmod 0755, $s->path('closed') unless $is_root;
    $s->stop_ok;
}

done_testing();
