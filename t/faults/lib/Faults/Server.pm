# SPDX-License-Identifier: Apache-2.0
#
# A server that does all that the module can, while calls of the module fail,
# in the parent and in every process that it has: whatever fails, httpd goes on
# and answers, what was under way comes to its end once nothing fails any more,
# nothing is left behind, and it is told.
package Faults::Server;

use strict;
use warnings;

use AMGR::Control;
use AMGR::Httpd qw(wait_until);
use AMGR::Inject;
use AMGR::Managed;
use Faults::Silent qw(may_be_silent);
use Faults::Ways qw(ways_of);
use JSON::PP ();
use List::Util qw(max sum0);
use Time::HiRes qw(sleep time);

use constant {
    WELL_SEC  => 40,  # for all to be well again
    SOON_SEC  => 10,  # for what may never come while something fails
    STATUS    => '/manager-status',
    PAGES     => ['', '?auto', map { "/$_" } qw(status.json metrics metrics.txt
                  discovery.json processes ready)],
};

# What is done while calls fail: a sub that takes the object, and in whose
# processes.
my %scenario = (
    ticks    => { run => \&see_ticks, roles => [qw(ticker parent)] },
    managed  => { run => \&see_ticks,
                  roles => [qw(supervisor guard check)] },
    pages    => { run => \&ask_pages, roles => [qw(worker)] },
    order    => { run => \&order_restart,
                  roles => [qw(worker supervisor guard)] },
    demand   => { run => \&demand, roles => [qw(ticker worker parent)] },
    hang     => { run => \&hang, roles => [qw(ticker)] },
    graceful => { run => \&graceful,
                  roles => [qw(parent ticker supervisor guard worker)] },
);

sub scenarios { return sort keys %scenario }

sub new {
    my ($class, $mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '100ms',
                             modules => ['wsgi'], name => "faults-$mpm");
    AMGR::Managed::prepare($s);
    my $inject = AMGR::Inject->new($s->path('work/inject'),
                                   'mod_apache_manager.so');
    $s->{env} = $inject->env;
    my $self = bless { s => $s, inject => $inject, mpm => $mpm }, $class;
    $s->set_config($self->config);
    return $self;
}

sub config {
    my ($self) = @_;
    my $s = $self->{s};
    my $script = $s->wsgi_script;
    my $log = $s->path('logs/db.log');
    my $quick = "RestartDelay 100ms factor=1 jitter=0%\n    RestartLimit Off\n"
        . "    StopTimeout 2s";
    return <<"END" .
ManagerMinAge 1s
ManagerControl On
ManagerSocket control.sock
ManagerMaxTime 1s
ManagerMemoryMetric uss
ManagerMaxMemoryActive 200M
ManagerMaxMemoryIdle 100M
ManagerStormLimit Off
ManagerKillCommand before /bin/true
WSGIScriptAlias /app $script
END
        AMGR::Managed::section($s, 'web', "Verify exec /bin/true\n"
            . "    Liveness exec interval=200ms /bin/true\n    $quick")
        . AMGR::Managed::section($s, 'db', "Output $log\n    $quick\n"
            . ($> == 0 ? "    User www-data\n" : ''), '0.05');
}

sub start {
    my ($self) = @_;
    $self->{inject}->forget_parent;
    $self->{s}->start;
    $self->{baseline} = undef;
    my $why = $self->whats_wrong(WELL_SEC);
    die "$self->{mpm}: not well from the start: $why\n" if $why;
    $self->{baseline} = $self->descriptors_at_rest;
    $self->{files} = { map { $_ => 1 } $self->files };
    return $self;
}

# ---- the scenarios ----------------------------------------------------------

sub json { return eval { $_[0]->{s}->json } }

# The status of an answer; a request that ends without one is no answer.
sub code_of {
    my ($self, $method, $path, @headers) = @_;
    my $answer = $self->{s}->request($method, $path, @headers);
    my $code = $answer->code;
    $self->{told} .= " $path: $code" if $code >= 400;
    return $code;
}

sub see_ticks {
    my ($self) = @_;
    my $json = $self->json or return;
    my $want = $json->{manager}{ticks} + 3;
    my $until = time + 1;
    sleep 0.05 while time < $until
        && ($self->json // $json)->{manager}{ticks} < $want;
    return;
}

sub ask_pages {
    my ($self) = @_;
    $self->code_of('GET', STATUS . $_) for @{ +PAGES };
    return;
}

sub order_restart {
    my ($self) = @_;
    my $answer = $self->{s}->get(STATUS . '/processes');
    my $token = eval { JSON::PP::decode_json($answer->content)->{token} };
    $self->{told} .= ' no token' unless defined $token;
    $self->code_of('POST', STATUS . '/processes/web/restart?wait=2',
                   'X-Manager-Token' => $token // '');
    return;
}

sub pending {
    my ($json) = @_;
    return grep { $_->{outcome} eq 'pending' } @{ $json->{kills} };
}

sub demand {
    my ($self) = @_;
    my $answer = eval {
        local $SIG{ALRM} = sub { die "no answer\n" };
        alarm 3;
        my $got = AMGR::Control::order(
            $self->{s}->runtime_file('control.sock'),
            { order => 'retire', max_memory_idle_bytes => 1,
              max_kills => 1 }, 2);
        alarm 0;
        $got;
    };
    alarm 0;
    $self->{told} .= ' order: ' . ($answer ? $answer->{error} // 'no' : $@)
        unless $answer && $answer->{ok};
    $self->ended_soon;
    return;
}

sub ended_soon {
    my ($self) = @_;
    my $until = time + 1;
    sleep 0.05 while time < $until && pending($self->json // { kills => [] });
    return;
}

sub hang {
    my ($self) = @_;
    my $before = $self->json or return;
    my $request = $self->{s}->start_request('/app/sleep?s=3');
    my $until = time + 3;
    my $known = @{ $before->{kills} };
    while (time < $until) {
        my $json = $self->json or next;
        last if $json->{kills}[0]
            && $json->{kills}[0]{time} > ($before->{kills}[0]{time} // 0);
        sleep 0.05;
    }
    $self->ended_soon;
    $self->{request} = $request;
    return;
}

sub graceful {
    my ($self) = @_;
    my $s = $self->{s};
    my $before = -s $s->log_file;
    $s->signal('USR1');
    my $until = time + SOON_SEC;
    sleep 0.02 while time < $until
        && $s->log_text($before) !~ /resuming normal operations/;
    return $self->see_ticks;
}

# ---- what is well -----------------------------------------------------------

# Nothing, or what is not as it should be when nothing fails any more.
sub whats_wrong {
    my ($self, $seconds) = @_;
    my ($why, $until) = ('', time + $seconds);
    my $pause = 0.02;
    while (1) {
        $why = $self->look or return;
        return $why if time > $until || !$self->{s}->is_running;
        sleep $pause;
        $pause *= 1.3 if $pause < 0.3;
    }
}

sub look {
    my ($self) = @_;
    my $s = $self->{s};
    return 'httpd has ended' unless $s->is_running;
    my $json = $self->json or return 'no status.json';
    my $ticks = $json->{manager}{ticks};
    my @tickers = $s->ticker_pid;
    return @tickers . ' tickers' unless @tickers == 1;
    my %state = map { $_->{name} => $_ } @{ $json->{managed} };
    for my $name (qw(web db)) {
        my $process = $state{$name} or return "no process $name";
        return "$name is $process->{state}" unless $process->{state} eq 'READY';
    }
    return 'a retirement is under way' if pending($json);
    my @supervisors = AMGR::Managed::supervisors($s);
    return @supervisors . ' supervisors' unless @supervisors == 1;
    my $answer = eval { AMGR::Control::order($s->runtime_file('control.sock'),
                                             { order => 'tick' }, 3) };
    return 'the control socket: ' . ($@ || $answer->{error}) unless
        $answer && $answer->{ok};
    my $after = $self->json or return 'no status.json';
    return 'no tick' unless $after->{manager}{ticks} > $ticks;
    my $written = (stat($s->data_file))[9] // return 'no data file';
    return 'the data file is old' if time - $written > 3;
    return $self->looks_left;
}

# Descriptors, files and processes beyond those of the beginning.
sub looks_left {
    my ($self) = @_;
    my $baseline = $self->{baseline} or return;
    my $now = $self->descriptors;
    for my $who (sort keys %$now) {
        return "$who has $now->{$who} descriptors, $baseline->{$who} before"
            if $now->{$who} > $baseline->{$who};
    }
    my @more = grep { !$self->{files}{$_} } $self->files;
    return "files: @more" if @more;
    my @guards = grep { AMGR::Httpd::comm($_) eq 'apache-guard' }
        AMGR::Managed::tree($self->{s}, AMGR::Managed::supervisors($self->{s}));
    return @guards . ' guards' if @guards != 2;
    my @double = glob AMGR::Managed::state_dir($self->{s}) . '/*.double';
    return "a second copy: @double" if @double;
    my @wrong = $self->rights;
    return $wrong[0];
}

# Whose db is.
sub rights {
    my ($self) = @_;
    return unless $> == 0;
    my $json = $self->json or return 'no status.json';
    my ($db) = grep { $_->{name} eq 'db' } @{ $json->{managed} };
    my $uid = getpwnam 'www-data';
    my ($is) = AMGR::Httpd::slurp("/proc/$db->{pid}/status")
        =~ /^Uid:\t(\d+\t\d+\t\d+)/m;
    return if !defined $is || $is eq join "\t", ($uid) x 3;
    return "db runs as $is";
}

sub files {
    my ($self) = @_;
    opendir my $dir, $self->{s}->path('run') or die "run: $!\n";
    return grep { !/^wsgi\.|^\.\.?$/ } readdir $dir;
}

sub descriptors {
    my ($self) = @_;
    my $s = $self->{s};
    my %pid = (parent => $s->parent_pid, ticker => scalar $s->ticker_pid,
               supervisor => (AMGR::Managed::supervisors($s))[0]);
    my %count;
    for my $who (keys %pid) {
        my $fds = '/proc/' . ($pid{$who} // next) . '/fd';
        opendir my $dir, $fds or next;
        # One is kept of each worker.
        $count{$who} = grep { !m{^/proc/} } map { readlink "$fds/$_" // '' }
            grep { /^\d/ } readdir $dir;
    }
    return \%count;
}

# The most of some looks.
sub descriptors_at_rest {
    my ($self) = @_;
    my %most;
    for (1 .. 40) {
        my $now = $self->descriptors;
        $most{$_} = max($most{$_} // 0, $now->{$_}) for keys %$now;
        sleep 0.02;
    }
    return \%most;
}

# ---- what is told -----------------------------------------------------------

sub errors_counted {
    my ($self) = @_;
    my $json = $self->json or return 0;
    my $managed = sum0(map { ($_->{exits}{exec}, $_->{checks}{failed}) }
                       @{ $json->{managed} });
    return $managed + sum0(grep { defined && !ref } values
                           %{ $json->{manager}{errors} });
}

# Lines that tell of something that went wrong.
sub lines_told {
    my ($self, $log) = @_;
    return grep { /\[apache_manager:(?:warn|error)\]|\] \(\d+\)[A-Z]/
        || /AMGR00(?:11|34|35|36|38|40).*(?:fail|cannot|ended by|lost|exit)/
        || /AMGR0028.*(?:signal|status 127)/ }
        split /\n/, $self->{s}->log_text($log);
}

sub told {
    my ($self, $log, $errors) = @_;
    my @told = ($self->{told}, $self->lines_told($log));
    my $more = $self->errors_counted - $errors;
    push @told, "$more errors counted" if $more > 0;
    return grep { length } @told;
}

# Signs of a crash since then.
sub crashes {
    my ($self, $log, $out) = @_;
    my $text = $self->{s}->log_text($log);
    my @bad = grep { /exit signal (?!Killed|Terminated)|Sanitizer/
        || /runtime error:|wait status 0x(?:8?[4-8b]\b)/
        || /ended by signal (?!9|15)|stack smashing|corrupted|free\(\)/ }
        split /\n/, $text;
    return @bad, grep { /inject:|\*\*\*|free\(\)|corrupt/ } split /\n/,
        substr AMGR::Httpd::slurp($self->{s}->path('logs/output.log')), $out;
}

# ---- one way of failing -----------------------------------------------------

# { hits, told, found }: found is what is wrong, in words.
sub try_way {
    my ($self, $name, $way) = @_;
    my ($s, $inject) = @$self{qw(s inject)};
    my $log = -s $s->log_file // 0;
    my $out = -s $s->path('logs/output.log') // 0;
    my $errors = $self->errors_counted;
    my $begun = time;
    $self->{told} = '';
    $inject->arm(map { $_ => $way->{$_} } grep { defined $way->{$_} }
                 qw(site call roles first run how));
    $scenario{$name}{run}->($self);
    my $hits = $inject->disarm;
    $self->{request} = undef;
    my $wrong = $self->whats_wrong(WELL_SEC);
    my @found = $self->crashes($log, $out);
    push @found, sprintf '%s after %.1f s', $wrong, time - $begun if $wrong;
    my @told = $self->told($log, $errors);
    push @found, 'silent' if $hits && !@told && !@found
        && !may_be_silent($way);
    my $result = { hits => $hits, told => \@told, found => \@found,
                   seconds => time - $begun, name => $name, way => $way };
    $self->renew if $wrong;
    return $result;
}

# After a finding that stays: another server for what comes next.
sub renew {
    my ($self) = @_;
    $self->{s}->stop;
    return $self->start;
}

# What can fail in a scenario.
sub ways {
    my ($self, $name) = @_;
    my ($s, $inject) = @$self{qw(s inject)};
    my $scenario = $scenario{$name};
    my %role = map { $_ => 1 } @{ $scenario->{roles} };
    $inject->clear;
    $scenario->{run}->($self);
    $self->{request} = undef;
    $self->whats_wrong(WELL_SEC);
    return ways_of($s->{module}, { whole => 60, more => 20 },
                   grep { $role{ $_->{role} } } $inject->sites);
}

1;
