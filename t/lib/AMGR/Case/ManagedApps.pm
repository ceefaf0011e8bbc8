# SPDX-License-Identifier: Apache-2.0
#
# Managed processes as they are in real life: a database, a migration that is
# done once, an application behind mod_proxy that needs both, a process that
# says how it is, and logs that are rotated.
package AMGR::Case::ManagedApps;

use strict;
use warnings;

use AMGR::Cli qw(cli);
use AMGR::Exposition;
use AMGR::Httpd qw(wait_until repo_dir);
use AMGR::Managed;
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use File::Copy ();
use JSON::PP ();

use constant {
    SOON   => 30,
    PYTHON => '/usr/bin/python3',
    CHANGE => qr/AMGR0034: process (\S+): (\w+) -> (\w+)/,
};

my @names = qw(web beat piped filed migrate redis); # as they are configured
my @running = grep { $_ ne 'migrate' } @names;

sub run {
    my ($mpm) = @_;
    my $s = server($mpm);
    starts($s);
    opens($s);
    rights($s);
    shown($s);
    by_metrics($s);
    by_tool($s);
    beats($s);
    rotates($s);
    loses_its_logger($s);
    ordered($s);
    stops($s);
    done_testing();
    return;
}

# ---- the server -------------------------------------------------------------

sub section {
    my ($name, $command, $lines) = @_;
    return "<ManagedProcess $name>\n    Command $command\n"
        . "    PassEnv AMGR_TEST_SERVER\n$lines</ManagedProcess>\n";
}

# What needs others stands before them.
sub sections {
    my ($s) = @_;
    my ($web, $redis) = @{ $s->{ports} }{qw(web redis)};
    my $dir = AMGR::Managed::state_dir($s);
    my $app = '"' . PYTHON . '" "' . $s->path('work/managed_app.py') . '"';
    my $piped = $s->path('logs/piped.log');
    return section('web', "$app web $web $redis $dir", <<"END")
    After migrate
    EnvironmentFile conf/web.env
    Environment EMPTY ""
    WorkingDirectory $dir
    RequireFree tcp://127.0.0.1:$web
    Verify http http://127.0.0.1:$web/ready status=200 interval=100ms
    Liveness http http://127.0.0.1:$web/ready interval=1s
    Gate balancer://app http://127.0.0.1:$web
END
        . section('beat', "$app beat $dir", <<'END')
    Verify notify
    Liveness notify timeout=1s
    RestartDelay 100ms
END
        . section('piped', "$app lines $dir piped",
                  qq(    Output "|$s->{rotatelogs} -n 3 $piped 1M"\n))
        . section('filed', "$app lines $dir filed",
                  "    Output logs/filed.log\n")
        . section('migrate', "$app migrate $redis $dir", <<'END')
    After redis
    Verify exited 0
END
        . section('redis', "/usr/bin/redis-server --port $redis"
                  . " --bind 127.0.0.1 --dir $dir --daemonize no --save ''"
                  . ' --appendonly yes --set-proc-title no', <<"END");
    RequireFree tcp://127.0.0.1:$redis
    Verify tcp 127.0.0.1:$redis interval=100ms
    Output logs/redis.log
END
}

sub config {
    my ($s) = @_;
    my $web = "http://127.0.0.1:$s->{ports}{web}";
    return <<"END" . sections($s);
ManagerControl On
<Proxy balancer://app>
    BalancerMember $web retry=0
</Proxy>
ProxyPass /app/ balancer://app/
ProxyPass /plain/ $web/ retry=0
END
}

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-apps", modules =>
        [qw(proxy proxy_http proxy_balancer lbmethod_byrequests slotmem_shm)]);
    AMGR::Managed::prepare($s);
    my $app = $s->path('work/managed_app.py');
    File::Copy::copy(repo_dir() . '/t/lib/py/managed_app.py', $app)
        or die "$app: $!\n";
    chmod 0644, $app;
    # Nobody but its user may read it; and no other shall, where others could
    # have put something else in its place, as below /tmp.
    my $env = $s->write('conf/web.env',
                        qq(# of the web server\nGREETING_KEY="greeting"\n), 0600);
    chown +(owner())[2, 3], $env if AMGR::Httpd::is_root();
    $s->write('state/web.hold', '');
    $s->{ports} = { map { $_ => AMGR::Httpd::free_port() } qw(web redis) };
    $s->{rotatelogs} = AMGR::Httpd::find_program('ROTATELOGS', 'rotatelogs');
    $s->set_config(config($s));
    # AH01170: nobody of the balancer is there, as should be.
    $s->expect_log(qr/AH01170: balancer:/, qr/AMGR0035: process beat: /);
    return $s->start;
}

# ---- what is known ------------------------------------------------------------

sub one { my ($s, $name) = @_; return AMGR::Managed::one($s, $name) // {} }

# The states of one, as they were logged.
sub path_of {
    my ($s, $name) = @_;
    my @path;
    for my $line ($s->log_lines(CHANGE)) {
        my ($who, $from, $to) = $line =~ CHANGE;
        next if $who ne $name;
        push @path, $from if !@path;
        push @path, "but $from" if $path[-1] ne $from;
        push @path, $to;
    }
    return @path;
}

# What a process has noted of its first run.
sub begun {
    my ($s, $name) = @_;
    my ($line) = AMGR::Managed::noted($s, "$name.begin");
    return JSON::PP::decode_json($line // '{}');
}

sub metrics {
    my ($s) = @_;
    return AMGR::Exposition->new($s->get('/manager-status/metrics')->content,
                                 'text');
}

sub value {
    my ($m, $metric, @labels) = @_;
    return $m->value("apache_manager_process_$metric", @labels);
}

sub says {
    my ($s, $place, $code, $text, $what) = @_;
    my $answer;
    my $ok = wait_until(sub {
        $answer = $s->get($place);
        $answer->code == $code && $answer->content =~ $text;
    }, SOON, "$place: $code");
    return ok($ok, $what) || diag($answer->as_string);
}

# ---- the start ------------------------------------------------------------------

sub starts {
    my ($s) = @_;
    ok(AMGR::Managed::wait_for($s, 'redis', 'READY'), 'the database is ready');
    my $migrate = AMGR::Managed::wait_for($s, 'migrate', 'EXITED');
    ok($migrate, 'the migration is done');
    is($migrate->{ready}, JSON::PP::true, 'which is what it is ready by');
    is($migrate->{code}, 0, 'with a code');
    is($migrate->{missed}, JSON::PP::false, 'and nobody misses it');
    ok(AMGR::Managed::wait_for($s, 'web', 'RUNNING'), 'the application runs');
    ok(wait_until(sub { (one($s, 'web')->{checks}{failed} // 0) > 1 }, SOON,
                  'attempts'), 'attempts to verify it fail');
    is(one($s, 'web')->{state}, 'RUNNING', 'so it is not ready');
    says($s, '/plain/', 200, qr/^hello 1$/, 'although it would answer');
    is($s->get('/app/')->code, 503, 'its member of the balancer is kept out');
    my $answer = $s->get('/manager-status/ready');
    is($answer->code, 503, 'all in all it is not ready');
    my $ready = JSON::PP::decode_json($answer->content);
    is($ready->{status}, 'starting', '... in words');
    ok((grep { $_ eq 'web' } @{ $ready->{not_ready} }), '... and for whom');
    return;
}

sub opens {
    my ($s) = @_;
    unlink $s->path('state/web.hold') or die "web.hold: $!\n";
    ok(AMGR::Managed::wait_for($s, $_, 'READY'), "$_ is ready")
        for qw(web beat piped filed);
    says($s, '/app/', 200, qr/^hello 1$/, 'the application is let in');
    says($s, '/manager-status/ready', 200, qr/"running"/, 'all is ready');
    is(join(' ', path_of($s, $_)), 'STOPPED STARTING RUNNING READY',
       "$_: its states") for @running;
    is(join(' ', path_of($s, 'migrate')),
       'STOPPED STARTING RUNNING EXITED', 'migrate: its states');
    my $all = AMGR::Managed::all($s);
    cmp_ok($all->{migrate}{started}, '>=', $all->{redis}{ready_at},
           'the migration was started when the database was ready');
    cmp_ok($all->{web}{started}, '>=', $all->{migrate}{ready_at},
           'and the application when that was done');
    cmp_ok($all->{web}{ready_at} - $all->{web}{started}, '>=', 1,
           'which took its time to be ready');
    cmp_ok($all->{beat}{started}, '<=', $all->{redis}{ready_at},
           'what comes after nothing does not wait');
    is($all->{$_}{starts}, 1, "$_ was started once") for @names;
    return;
}

# ---- what they have got ------------------------------------------------------------

# Whose they are, as getpwnam() tells.
sub owner {
    return AMGR::Httpd::is_root() ? getpwnam 'www-data' : getpwuid $>;
}

sub expected_env {
    my ($s, %more) = @_;
    my @user = owner();
    my %env = (AMGR_TEST_SERVER => $s->root, HOME => $user[7] // '/',
               SHELL => $user[8] || '/bin/sh', %more);
    @env{qw(USER LOGNAME)} = @user[0, 0] if defined $user[0];
    return \%env;
}

sub environment {
    my ($pid) = @_;
    my %env = map { split /=/, $_, 2 }
        split /\0/, AMGR::Httpd::slurp("/proc/$pid/environ");
    like(delete $env{PATH}, qr{^(?:/[a-z/]+:?)+$}, "$pid: PATH");
    return \%env;
}

sub status_of {
    my ($pid, $field) = @_;
    my ($value) = AMGR::Httpd::slurp("/proc/$pid/status")
        =~ /^$field:\s*(.*?)\s*$/m;
    return $value // 'none';
}

sub open_in {
    return grep { defined } map { readlink } map { glob "/proc/$_/fd/*" } @_;
}

sub rights {
    my ($s) = @_;
    my @user = owner();
    my ($uid, $gid) = ($user[2] // $>, $user[3] // (split ' ', $))[0]);
    my %server = map { $_ => 1 }
        open_in($s->parent_pid, AMGR::Managed::supervisor($s));
    delete $server{'/dev/null'};
    for my $name (@running) {
        my $pid = one($s, $name)->{pid};
        is(status_of($pid, 'Uid'), join("\t", ($uid) x 4), "$name: its user");
        is(status_of($pid, 'Gid'), join("\t", ($gid) x 4), "$name: its group");
        my @groups = split ' ', status_of($pid, 'Groups');
        ok(!(grep { $_ == 0 } @groups), "$name: not of root's group")
            if AMGR::Httpd::is_root();
        my @stat = AMGR::Httpd::stat_fields($pid);
        is("@stat[2, 3]", "$pid $pid", "$name: group and session of its own");
        is(join(' ', grep { $server{$_} } open_in($pid)), '',
           "$name: nothing of the server's is open");
        is_deeply(environment($pid), expected_env($s,
            $name eq 'web' ? (GREETING_KEY => 'greeting', EMPTY => '') : (),
            $name eq 'beat' ? notify_env($pid) : ()),
            "$name: its environment");
    }
    first_things($s, $_) for grep { $_ ne 'redis' } @names;
    return;
}

# Of which the kernel has chosen one half.
sub notify_env {
    my ($pid) = @_;
    my ($socket) = AMGR::Httpd::slurp("/proc/$pid/environ")
        =~ /NOTIFY_SOCKET=(\@\w+)\0/;
    return (NOTIFY_SOCKET => $socket // 'none', WATCHDOG_PID => $pid,
            WATCHDOG_USEC => 1_000_000);
}

# As each of them has found it itself.
sub first_things {
    my ($s, $name) = @_;
    my $begun = begun($s, $name);
    my $open = $begun->{descriptors} // {};
    is(join(' ', sort keys %$open), '0 1 2', "$name: three descriptors");
    is($open->{0}, '/dev/null', "$name: nothing to read");
    is($open->{1}, $open->{2}, "$name: one output");
    like($open->{1}, qr/^pipe:/, '... a pipe');
    is($begun->{umask}, 022, "$name: umask");
    is($begun->{directory},
       $name eq 'web' ? AMGR::Managed::state_dir($s) : '/', "$name: directory");
    is($begun->{blocked} =~ s/0//gr, '', "$name: no signal is blocked");
    # Those two Python itself ignores: PIPE and XFSZ.
    is($begun->{ignored}, '0000000001001000', "$name: none is ignored");
    return;
}

# ---- how they are shown ---------------------------------------------------------------

sub shown {
    my ($s) = @_;
    my $text = $s->get('/manager-status/status.json')->content;
    is_deeply([schema_errors($text)], [], 'status.json obeys its schema');
    my $managed = JSON::PP::decode_json($text)->{managed};
    is_deeply([map { $_->{name} } @$managed], \@names, 'all, as they stand');
    my %state = map { $_ => $_ eq 'migrate' ? 'EXITED' : 'READY' } @names;
    is_deeply({ map { $_->{name} => $_->{state} } @$managed }, \%state,
              'status.json: their states');
    my $list = $s->json('/manager-status/processes');
    is($list->{count}, scalar @names, '/processes: how many');
    is_deeply({ map { $_->{name} => $_->{state} } @{ $list->{processes} } },
              \%state, '/processes: their states');
    my %row = map { $_->{name} => $_ } @{ $list->{processes} };
    is_deeply([map { $row{$_}{verify} } @names],
              ['http', 'notify', undef, undef, 'exited', 'tcp'], 'verifiers');
    is_deeply($row{web}{after}, ['migrate'], 'after whom');
    is($row{beat}{status}, 'at work <b>', 'what one says of itself');
    is($row{redis}{command}, '/usr/bin/redis-server', 'a program');
    my $page = $s->get('/manager-status')->content;
    for my $name (@names) {
        like($page, qr{<tr id="managed-$name">.*?>$state{$name}</span>},
             "the page has a row of $name");
    }
    like($page, qr/at work &lt;b&gt;/, 'and what one says, escaped');
    return;
}

sub by_metrics {
    my ($s) = @_;
    my $m;
    ok(wait_until(sub {
        $m = metrics($s);
        !grep { (value($m, 'resident_memory_bytes', process => $_) // 0) == 0
                || (value($m, 'cpu_seconds_total', process => $_) // 0) == 0 }
            @running;
    }, SOON, 'memory and CPU time of all'), 'metrics: memory and CPU time');
    is_deeply([$m->errors], [], 'metrics: the format');
    for my $name (@names) {
        my $state = $name eq 'migrate' ? 'EXITED' : 'READY';
        my %set = map { $_ => value($m, 'state', process => $name,
                                    state => $_) }
            qw(STOPPED STARTING RUNNING READY BACKOFF STOPPING EXITED FATAL);
        is(join(' ', grep { $set{$_} } sort keys %set), $state,
           "metrics: $name is $state and nothing else");
        is(value($m, 'ready', process => $name), 1, '... ready');
        is(value($m, 'starts_total', process => $name), 1, '... started once');
        is(value($m, 'exits_total', process => $name, cause => 'clean'),
           $name eq 'migrate' ? 1 : 0, '... and ended as often as it has');
    }
    cmp_ok(value($m, 'cpu_seconds_total', process => 'migrate'), '>', 0,
           'metrics: what one has used that has ended');
    return;
}

sub tool {
    my ($s, @args) = @_;
    return cli('--url', $s->url('/manager-status'), @args);
}

sub by_tool {
    my ($s) = @_;
    my $all = AMGR::Managed::all($s);
    my $r = tool($s, '--processes');
    is($r->{code}, 0, 'apache-manager --processes: all is well')
        or diag($r->{err});
    like($r->{out}, qr/^$_ +READY +pid $all->{$_}{pid}, uptime /m, "... $_")
        for @running;
    like($r->{out}, qr/^migrate +EXITED +/m, '... migrate');
    $r = tool($s, 'status', 'web', 'migrate');
    is($r->{code}, 0, 'apache-manager status');
    like($r->{out}, qr/^web: READY\n.*^ - After: migrate\n/sm, '... web');
    like($r->{out}, qr/^migrate: EXITED\n.*^ - After: redis\n/sm, '... migrate');
    return;
}

# ---- one that is silent ---------------------------------------------------------------

sub beats {
    my ($s) = @_;
    my $before = one($s, 'beat');
    $s->write('state/beat.freeze', '', 0666);
    my $after = AMGR::Managed::wait_for($s, 'beat', 'READY', $before->{pid});
    ok($after, 'what does not say any more that it lives is restarted')
        or return;
    cmp_ok($after->{exits}{unhealthy}, '>', $before->{exits}{unhealthy},
           'as one that is unhealthy');
    cmp_ok(value(metrics($s), 'exits_total', process => 'beat',
                 cause => 'unhealthy'), '>=', 1, '... by the metrics, too');
    ok($s->log_lines(qr/AMGR0034: process beat: READY -> STOPPING \(.+\)/),
       'and the log says why');
    is(join(' ', (path_of($s, 'beat'))[3 .. 8]),
       'READY STOPPING BACKOFF STARTING RUNNING READY', 'its states');
    ok(!AMGR::Httpd::is_alive($before->{pid}), 'the silent one is gone');
    return;
}

# ---- logs -------------------------------------------------------------------------------

# How many lines there are, each number once and in order; 0 where not.
sub lines_of {
    my (@files) = @_;
    my $count = 0;
    for my $line (map { split /\n/, AMGR::Httpd::slurp($_) } @files) {
        my ($number) = $line =~ /^line (\d+)$/ or next;
        return 0 if $number != ++$count;
    }
    return $count;
}

sub grows {
    my ($what, @files) = @_;
    my $before = lines_of(@files);
    ok($before, "$what: no line is lost");
    return ok(wait_until(sub { lines_of(@files) > $before }, SOON, $what),
              "$what: and there are more");
}

sub pids { my ($s) = @_; return join ' ', map { one($s, $_)->{pid} } @running }

sub rotates {
    my ($s) = @_;
    my ($file, $old) = map { $s->path("logs/$_") } qw(filed.log filed.log.1);
    my $pids = pids($s);
    grows('a file', $file);
    rename $file, $old or die "$file: $!\n";
    grows('a file that was renamed', $old);
    ok($s->graceful, 'graceful restart, as logrotate does it');
    ok(wait_until(sub { -s $file }, SOON, 'the new file'),
       'new lines come to the new file');
    my $size = -s $old;
    grows('both files', $old, $file);
    is(-s $old, $size, 'and none to the old one');
    is(pids($s), $pids, 'the processes are the same');
    is((stat $file)[4], $>, 'the file is theirs who have started httpd');
    says($s, '/app/', 200, qr/^hello 1$/, 'the application is still let in');
    return;
}

# Which stands beside the process, below its guard.
sub logger {
    my ($s) = @_;
    my $guard = (AMGR::Httpd::stat_fields(one($s, 'piped')->{pid}))[1];
    my ($found) = grep { AMGR::Httpd::comm($_) eq 'rotatelogs'
                         && AMGR::Httpd::is_alive($_) }
        split ' ', AMGR::Httpd::slurp("/proc/$guard/task/$guard/children");
    return $found;
}

sub loses_its_logger {
    my ($s) = @_;
    my $file = $s->path('logs/piped.log');
    grows('a logger', $file);
    my $old = logger($s) or return fail('it has a logger');
    is((stat "/proc/$old")[4], $>, 'which runs as who has started httpd');
    my $pid = one($s, 'piped')->{pid};
    $s->expect_log(qr/AMGR0038: process piped: /);
    kill 'KILL', $old;
    ok(wait_until(sub { (logger($s) // $old) != $old }, SOON, 'another one'),
       'a logger that was killed is replaced');
    my $size = -s $file;
    ok(wait_until(sub { -s $file > $size }, SOON, 'lines'), 'and writes');
    is(one($s, 'piped')->{pid}, $pid, 'the process has not noticed');
    return;
}

# ---- orders, and the end ------------------------------------------------------------------

# The one that is between them has ended long ago.
sub web_before_redis {
    my ($s, $from, $what) = @_;
    my @changes = map { join ' ', $_ =~ CHANGE }
        grep { /process (?:web|redis): \w+ -> STOPP/ }
        split /\n/, $s->log_text($from);
    is_deeply(\@changes, ['web READY STOPPING', 'web STOPPING STOPPED',
                          'redis READY STOPPING', 'redis STOPPING STOPPED'],
              "$what: the application ends before its database");
    return;
}

sub ordered {
    my ($s) = @_;
    my $from = -s $s->log_file;
    my $r = tool($s, 'stop', 'redis', 'web');
    is($r->{out}, "web: stopped\nredis: stopped\n", 'both are stopped');
    web_before_redis($s, $from, 'by order');
    is_deeply([AMGR::Managed::noted($s, 'web.end')], ['hello 1'],
              'which it had to its end');
    is($s->get('/app/')->code, 503, 'nobody is let in');
    tool($s, 'start', 'web', '--wait', '0');
    like(one($s, 'web')->{reason}, qr/^waits for redis/,
       'it does not start without what its migration needed');
    $r = tool($s, 'start', 'redis', 'web');
    is($r->{code}, 0, 'both are started') or diag($r->{out}, $r->{err});
    says($s, '/app/', 200, qr/^hello 1$/, 'it is let in again');
    $r = tool($s, 'restart', 'migrate');
    is($r->{out}, "migrate: restarted\n", 'the migration is done again');
    says($s, '/app/', 200, qr/^hello 2$/, 'and the application knows it');
    return;
}

sub stops {
    my ($s) = @_;
    my $from = -s $s->log_file;
    my @tree = AMGR::Managed::tree($s, AMGR::Managed::supervisor($s));
    $s->stop_ok;
    web_before_redis($s, $from, 'with the server');
    ok(AMGR::Managed::are_gone(0, @tree), 'nothing of them is left');
    is_deeply([AMGR::Managed::noted($s, 'web.end')], ['hello 1', 'hello 2'],
              'the database was there to the end');
    like(AMGR::Httpd::slurp($s->path("logs/$_.log")), qr/^end \d+\n\z/m,
         "$_: its last words are kept") for qw(filed piped);
    like(AMGR::Httpd::slurp($s->path('logs/redis.log')),
         qr/Ready to accept connections.*bye bye/s, 'redis: what it wrote');
    like($s->log_text(0), qr/AMGR0037: process migrate: migrated 1$/m,
         'migrate: a line in the error log');
    return;
}

1;
