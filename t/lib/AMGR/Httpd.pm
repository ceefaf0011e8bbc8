# SPDX-License-Identifier: Apache-2.0
#
# A private httpd for one test: its own ServerRoot, a free port of 127.0.0.1,
# the chosen MPM, Debian's binary and modules, nothing of the system touched.
# Works as root and as an ordinary user, and beside others of its kind.
#
#   my $s = AMGR::Httpd->new(mpm => 'event', config => "ManagerInterval 1s");
#   $s->start;
#   is($s->get('/manager-status')->code, 200);
#   $s->stop_ok;
#
# Rules that this file keeps for the tests: it ends only processes that it
# started, by pid; nothing is left behind, whatever way the test ends (a test
# that is killed takes its servers with it); waiting is polling with a
# deadline; stop_ok() fails on left-overs and on log lines nobody expected.
package AMGR::Httpd;

use strict;
use warnings;

use AMGR::Board;
use AMGR::Build qw(repo_dir build_dir);
use AMGR::Request;
use Apache::Test ();
use Apache::TestUtil ();
use Cpanel::JSON::XS ();
use Cwd ();
use Fcntl qw(SEEK_SET);
use File::Copy ();
use File::Spec;
use File::Temp ();
use IO::Socket::INET;
use IO::Socket::UNIX;
use LWP::UserAgent;
use POSIX qw(WNOHANG);
use Socket qw(SOCK_DGRAM);
use Test::Builder;
use Time::HiRes qw(sleep time);

use Exporter qw(import);
our @EXPORT_OK = qw(wait_until mpms repo_dir build_dir);

use constant {
    POLL_SEC   => 0.03,  # between two looks at a condition, at first
    POLL_MAX_SEC => 0.1, # asking pages all the time costs more than it gains
    START_SEC  => 60,    # generous: sanitizers and loaded machines
    STOP_SEC   => 40,
    LOG_LINES  => 30,
    LOGS_SHOWN => 3,
    MARK       => 'AMGR_TEST_SERVER', # environment of all that we start
    ORPHAN_SEC => 10,    # children after their parent's end
    LONELY_SEC => 1,     # those of a parent that a test has killed
    ASK_TRIES  => 5,
    PORT_MIN   => 10240,
    PORT_TRIES => 1000,
};

my %servers;         # by address: what END has to end
my @ports;           # sockets whose names are the ports that are ours
my $owner = $$;      # forked helpers of a test end nothing
my $serial = 0;
my $shown = 0;       # logs

# A test that is told to end does so through END; helpers of it just end.
$SIG{$_} = sub { $$ == $owner ? exit 1 : POSIX::_exit(1) }
    for qw(INT TERM HUP PIPE);

# ---- where things are -----------------------------------------------------

my $repo = repo_dir();

sub module_file {
    return File::Spec->rel2abs($ENV{AMGR_MODULE}
                               // build_dir() . '/mod_apache_manager.so',
                               $repo);
}

# The MPMs to test; AMGR_MPMS="event" narrows them by hand.
sub mpms {
    return split ' ', $ENV{AMGR_MPMS} // 'prefork worker event';
}

sub find_program {
    my ($variable, @names) = @_;
    return $ENV{$variable} if $ENV{$variable};
    for my $name (@names) {
        for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/usr/bin') {
            return "$dir/$name" if -x "$dir/$name" && !-d _;
        }
    }
    die "none of these programs is installed: @names\n";
}

my $httpd_program;
sub httpd_program {
    return $httpd_program //= find_program('HTTPD', 'apache2', 'httpd');
}

my $module_dir;
sub module_dir {
    return $module_dir if $module_dir;
    my $apxs = eval { find_program('APXS', 'apxs', 'apxs2') };
    my $dir = $apxs ? `$apxs -q LIBEXECDIR 2>/dev/null` : '';
    chomp $dir;
    ($dir) = grep { -e "$_/mod_mpm_event.so" } grep { length }
        $dir, '/usr/lib/apache2/modules';
    die "httpd's modules are not installed\n" unless $dir;
    return $module_dir = $dir;
}

# ---- construction ---------------------------------------------------------

# Options (all but mpm may be left out):
#   mpm           prefork, worker or event
#   config        directives for the end of the main server's configuration
#   modules       more modules, by name: [qw(status wsgi)]
#   mpm_config    replaces the sizes of the MPM
#   manager       0: without mod_apache_manager
#   location      0: without the <Location "/manager-status"> block
#   interval      a ManagerInterval
#   log_level     default: "info"
#   env           { NAME => value } for httpd
#   as_user       a uid: run as this ordinary user (only when started as root)
#   args          more arguments for httpd: ['-X']
#   program       another httpd than the installed one
#   launcher      a program that starts httpd: ['sh', '-c', 'exec "$@"', 'sh']
#   detach        1: httpd becomes a daemon, as in production
#   runtime_dir   another server's, for two in one
#   name          for messages
sub new {
    my ($class, %opt) = @_;
    my $mpm = delete $opt{mpm} or die "mpm is missing\n";
    my $self = bless {
        mpm        => $mpm,
        config     => delete $opt{config}     // '',
        modules    => delete $opt{modules}    // [],
        mpm_config => delete $opt{mpm_config} // mpm_sizes($mpm),
        manager    => delete $opt{manager}    // 1,
        location   => delete $opt{location}   // 1,
        interval   => delete $opt{interval},
        log_level  => delete $opt{log_level}  // 'info',
        env        => delete $opt{env}        // {},
        as_user    => delete $opt{as_user},
        args       => delete $opt{args}       // [],
        program    => delete $opt{program},
        launcher   => delete $opt{launcher}   // [],
        detach     => delete $opt{detach}     // 0,
        runtime_dir => delete $opt{runtime_dir},
        name       => delete $opt{name},
        expected   => [],
        mark       => 0,
        failures   => failures(), # before it
    }, $class;
    die 'unknown options: ' . join(' ', sort keys %opt) . "\n" if %opt;
    $self->{name} //= $mpm . '-' . ++$serial;
    $self->make_root;
    $servers{$self} = $self;
    return $self;
}

# Small servers with room to replace a retiring process.
sub mpm_sizes {
    my ($mpm) = @_;
    return <<"END" if $mpm eq 'prefork';
StartServers 3
MinSpareServers 3
MaxSpareServers 6
ServerLimit 12
MaxRequestWorkers 10
END
    return <<"END";
StartServers 2
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 4
MaxSpareThreads 16
ServerLimit 8
MaxRequestWorkers 16
END
}

# The whole of it lives in /tmp: a checkout under /root could not be entered
# by www-data.
sub make_root {
    my ($self) = @_;
    my $root = File::Temp::tempdir('amgr-httpd-XXXXXX',
                                   DIR => File::Spec->tmpdir);
    $self->{root} = Cwd::abs_path($root);
    chmod 0755, $root or die "$root: $!\n";
    for my $dir (qw(htdocs logs run conf work)) {
        mkdir "$root/$dir", 0755 or die "$root/$dir: $!\n";
    }
    $self->{runtime_dir} //= "$self->{root}/run";
    $self->write('htdocs/index.html', "<!doctype html><title>up</title>\n");
    $self->write('conf/mime.types', "text/html html\ntext/plain txt\n");
    return;
}

sub root { return $_[0]{root} }
sub mpm  { return $_[0]{mpm} }
sub name { return $_[0]{name} }
sub port { return $_[0]{port} }

sub path { my ($self, $name) = @_; return "$self->{root}/$name" }

sub runtime_file {
    my ($self, $name) = @_;
    return "$self->{runtime_dir}/$name";
}

sub board_file { return $_[0]->runtime_file('apache-manager.board') }
sub data_file  { return $_[0]->runtime_file('apache-manager.txt') }

sub is_root { return $> == 0 }

# A file under the server's root, readable by httpd's User.
sub write {
    my ($self, $name, $text, $mode) = @_;
    my $file = $self->path($name);
    open my $fh, '>:raw', $file or die "$file: $!\n";
    print {$fh} $text or die "$file: $!\n";
    close $fh or die "$file: $!\n";
    chmod $mode // 0644, $file or die "$file: $!\n";
    return $file;
}

# The WSGI application of the demonstration, copied to where www-data may
# read it.
sub wsgi_script {
    my ($self) = @_;
    my $copy = $self->path('work/leak.wsgi');
    File::Copy::copy("$repo/t/demo/leak.wsgi", $copy)
        or die "t/demo/leak.wsgi: $!\n";
    chmod 0644, $copy;
    return $copy;
}

# t/lib/c/NAME.c as a shared object of this server, built with these flags too.
sub build_object {
    my ($self, $name, @more) = @_;
    my $object = $self->path("work/$name.so");
    my $apxs = find_program('APXS', 'apxs', 'apxs2');
    chomp(my $include = `$apxs -q INCLUDEDIR`);
    my @flags = split ' ', `apr-1-config --includes --cppflags`;
    my @command = (split(' ', $ENV{CC} // 'cc'), qw(-std=gnu11 -shared -fPIC
                   -O1 -g -Wall -Wextra), @more, @flags, "-I$include",
                   "-I$repo/src/httpd", '-o', $object,
                   "$repo/t/lib/c/$name.c");
    system(@command) == 0 or die "@command failed\n";
    chmod 0755, $object;
    return $object;
}

# ---- configuration --------------------------------------------------------

sub load_line {
    my ($module) = @_;
    return sprintf "LoadModule %s_module %s/mod_%s.so\n", $module,
        module_dir(), $module;
}

sub set_config {
    my ($self, $config) = @_;
    $self->{config} = $config;
    return $self->write_config;
}

sub set_mpm_config {
    my ($self, $config) = @_;
    $self->{mpm_config} = $config;
    return $self->write_config;
}

sub write_config {
    my ($self, $file) = @_;
    $file //= 'conf/httpd.conf';
    return $self->write($file, $self->config_text);
}

sub config_text {
    my ($self) = @_;
    $self->prepare_module;
    my ($root, $port) = ($self->{root}, $self->{port} // 1);
    my %want = map { $_ => 1 } @{ $self->{modules} };
    my @base = grep { !$want{$_} } qw(authz_core authz_host mime dir);
    my $text = load_line("mpm_$self->{mpm}")
        . join('', map { load_line($_) } @base, @{ $self->{modules} });

    $text .= "LoadModule apache_manager_module $self->{module}\n"
        if $self->{manager};
    $text .= "User www-data\nGroup www-data\n"
        if is_root() && !defined $self->{as_user};
    $text .= <<"END";
ServerRoot "$root"
DefaultRuntimeDir "$self->{runtime_dir}"
PidFile "$root/run/httpd.pid"
ServerName 127.0.0.1
Listen 127.0.0.1:$port
DocumentRoot "$root/htdocs"
ErrorLog "$root/logs/error.log"
LogLevel $self->{log_level}
TypesConfig "$root/conf/mime.types"
CoreDumpDirectory "$root/work"
TraceEnable Off
Timeout 30
KeepAliveTimeout 2
GracefulShutdownTimeout 5
$self->{mpm_config}
<Directory "/">
    Require all denied
</Directory>
<Directory "$root/htdocs">
    Require all granted
</Directory>
<Directory "$root/work">
    Require all granted
</Directory>
END
    $text .= <<"END" if $self->{location};
<Location "/manager-status">
    SetHandler manager-status
    Require local
</Location>
END
    $text .= "ManagerInterval $self->{interval}\n" if $self->{interval};
    # Whoever tests the steps of a retirement sets them behind this.
    $text .= "ManagerLameDuck Off\nManagerGracePeriod 1s\n"
        if $self->{manager};
    # Threads that ran Python keep a child from ending for ten seconds when
    # interpreters are taken down.
    $text .= "WSGISocketPrefix $self->{runtime_dir}/wsgi\n"
        . "WSGIDestroyInterpreter Off\nWSGIApplicationGroup %{GLOBAL}\n"
        if $want{wsgi};
    return $text . $self->{config} . "\n";
}

# What `httpd -t` says of these directives; its exit status in list context.
sub config_error {
    my ($self, $config) = @_;
    $self->prepare_module;
    local $self->{config} = $config;
    my $file = $self->write_config('conf/check.conf');
    my ($status, $out) = $self->run_httpd('-t', '-f', $file);
    return wantarray ? ($out, $status) : $out;
}

sub run_httpd {
    my ($self, @args) = @_;
    my $log = $self->path('logs/check.log');
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', $log;
        open STDERR, '>&', \*STDOUT;
        alarm 60; # for one that never comes to an end
        $self->become_httpd('-d', $self->{root}, @args);
    }
    waitpid $pid, 0;
    return ($?, slurp($log));
}

# ---- starting -------------------------------------------------------------

# An ordinary user may be unable to enter the checkout.
sub prepare_module {
    my ($self) = @_;
    return if !$self->{manager} || $self->{module};
    my $file = module_file();
    -e $file or die "$file is not built\n";
    if (defined $self->{as_user}) {
        my $copy = $self->path('conf/mod_apache_manager.so');
        File::Copy::copy($file, $copy) or die "$copy: $!\n";
        chmod 0755, $copy;
        $file = $copy;
    }
    $self->{module} = $file;
    return;
}

# A port of 127.0.0.1 that is free and stays so: the kernel gives it to no
# connection, and no other test to a server of its own while this one runs.
sub free_port {
    for (1 .. PORT_TRIES) {
        my $port = PORT_MIN + int rand(port_end() - PORT_MIN);
        my $mine = IO::Socket::UNIX->new(Local => "\0amgr-port-$port",
                                         Type => SOCK_DGRAM) or next;
            IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
                              Listen => 1) or next;
        push @ports, $mine;
        return $port;
    }
    die "no port of 127.0.0.1 can be bound: $!\n";
}

# Where the kernel begins to take the ports of connections.
sub port_end {
    my ($low) = slurp('/proc/sys/net/ipv4/ip_local_port_range') =~ /^(\d+)/;
    return $low && $low >= PORT_MIN + PORT_TRIES ? $low : 32768;
}

# In the child of a fork: never returns.  setpriv ends httpd with the test,
# even one that was killed, and takes rights away.
sub become_httpd {
    my ($self, @args) = @_;
    my @run = ('setpriv', '--pdeathsig', 'TERM');
    if (defined $self->{as_user} && is_root()) {
        my $gid = (getpwuid $self->{as_user})[3] // $self->{as_user};
        push @run, "--reuid=$self->{as_user}", "--regid=$gid",
            '--clear-groups';
    }
    my %env = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'
                       . ':/sbin:/bin',
               LC_ALL => 'C.UTF-8', PYTHONDONTWRITEBYTECODE => 1,
               MARK() => $self->{root}, %{ $self->{env} });
    for my $name (grep { /^(ASAN|UBSAN|LSAN|TSAN)_OPTIONS$/ } keys %ENV) {
        $env{$name} //= $ENV{$name};
    }
    if ($ENV{AMGR_PRELOAD}) {
        # One that asks who calls must come before all others.
        $env{LD_PRELOAD} = join ' ', $env{AMGR_INJECT}
            ? ($env{LD_PRELOAD}, $ENV{AMGR_PRELOAD})
            : ($ENV{AMGR_PRELOAD}, $env{LD_PRELOAD} // ());
        $env{ASAN_OPTIONS} = 'detect_leaks=0'
            . ($env{ASAN_OPTIONS} ? ":$env{ASAN_OPTIONS}" : '');
    }
    my $httpd = $self->{program} // httpd_program(); # asks the environment
    open STDIN, '<', '/dev/null';
    local %ENV = (PATH => $env{PATH});
    exec @run, @{ $self->{launcher} }, 'env', '-i',
        (map { "$_=$env{$_}" } sort keys %env), $httpd, @args
        or POSIX::_exit(127);
}

# Returns itself; dies with httpd's words when it does not come up.
sub start {
    my ($self) = @_;
    $self->prepare_module;
    for my $try (1 .. 5) {
        $self->{port} = free_port();
        $self->write_config;
        $self->own_files;
        my $why = $self->try_start or return $self;
        die "$self->{name} did not start: $why\n"
            if $why !~ /Address already in use/ || $try == 5;
    }
}

sub own_files {
    my ($self) = @_;
    return unless defined $self->{as_user} && is_root();
    my $gid = (getpwuid $self->{as_user})[3] // $self->{as_user};
    chown $self->{as_user}, $gid,
        map { $self->path($_) } '.', qw(htdocs logs run conf work);
    return;
}

# Returns what is wrong, or nothing.
sub try_start {
    my ($self) = @_;
    my $out = $self->path('logs/output.log');
    my $before = -s $self->log_file // 0;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        POSIX::setsid();
        open STDOUT, '>>', $out;
        open STDERR, '>&', \*STDOUT;
        $self->become_httpd('-d', $self->{root}, '-f',
                            $self->path('conf/httpd.conf'),
                            ($self->{detach} ? () : '-DFOREGROUND'),
                            @{ $self->{args} });
    }
    $self->{forked} = $pid;
    $self->{pid} = $self->{detach} ? undef : $pid;

    my $deadline = time + START_SEC;
    until ($self->is_up($before)) {
        my $gone = !$self->{detach} && waitpid($pid, WNOHANG) != 0;
        if ($gone || time > $deadline) {
            delete $self->{pid} if $gone;
            my $why = slurp($out) . $self->log_text($before);
            $self->stop;
            return $why || 'no word of it within ' . START_SEC . ' s';
        }
        sleep POLL_SEC;
    }
    return;
}

# One process (-X) never says that it resumes operations.
sub is_up {
    my ($self, $before) = @_;
    if (grep { $_ eq '-X' } @{ $self->{args} }) {
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $self->{port});
    }
    return unless $self->log_text($before) =~ /resuming normal operations/;
    return 1 unless $self->{detach};
    my $pid = slurp($self->path('run/httpd.pid'));
    return unless $pid =~ /^(\d+)\s*$/;
    $self->{pid} = $1;
    waitpid $self->{forked}, 0;
    return 1;
}

# ---- processes ------------------------------------------------------------

sub parent_pid { return $_[0]{pid} }

# Direct children of a process (the httpd parent), zombies included.
sub children {
    my ($self, $pid) = @_;
    $pid //= $self->{pid};
    return unless $pid;
    my $text = slurp("/proc/$pid/task/$pid/children");
    return sort { $a <=> $b } split ' ', $text;
}

sub comm {
    my ($pid) = @_;
    my $text = slurp("/proc/$pid/comm");
    chomp $text;
    return $text;
}

# Fields of /proc/PID/stat from the state on: (S, ppid, pgrp, session ...).
sub stat_fields {
    my ($pid) = @_;
    my $text = slurp("/proc/$pid/stat");
    return unless $text =~ s/^\d+ \(.*\) //s;
    return split ' ', $text;
}

sub is_alive {
    my ($pid) = @_;
    my ($state) = stat_fields($pid);
    return defined $state && $state ne 'Z' && $state ne 'X';
}

# Child processes of the MPM: direct children that are httpd itself, without
# the ticker and without the daemons of cgid and wsgi when told their pids.
sub workers {
    my ($self) = @_;
    my $json = $self->json;
    return sort { $a <=> $b } map { $_->{pid} }
        grep { $_->{kind} eq 'native' } @{ $json->{processes} };
}

# At least so many more ticks have ended, told by the board, or by the data file
# being replaced (at most once a second) where the board has no file: asking a
# page would keep a worker busy at the very moment it is judged.  The first of
# them may have begun before this was called.
sub wait_ticks {
    my ($self, $count, $timeout) = @_;
    my $mark = sub { AMGR::Board->ticks($self->board_file) };
    $mark = sub { file_id($self->data_file) } unless defined $mark->();
    my $last = $mark->();
    for my $tick (1 .. $count) {
        wait_until(sub {
            my $now = $mark->() // $last; # none while another takes its place
            return $now ne $last && defined($last = $now);
        }, $timeout // 30, "$self->{name}: tick $tick of $count") or return;
    }
    return 1;
}

sub file_id {
    my ($file) = @_;
    my @stat = Time::HiRes::stat($file) or return '';
    return "$stat[1]:$stat[9]";
}

# The data file as { 'workers-hanging' => 0, 'memory-usage native max' => N }.
sub data {
    my ($self, $text) = @_;
    $text //= slurp($self->data_file);
    my %value;
    for my $line (grep { /\t/ } split /\n/, $text) {
        my @field = split /\t/, $line;
        my $number = pop @field;
        $value{"@field"} = $number;
    }
    return \%value;
}

sub ticker_pid {
    my ($self) = @_;
    my @found = grep { comm($_) eq 'apache-manager' && is_alive($_) }
        $self->children;
    return wantarray ? @found : $found[0];
}

# Every process that carries this server's mark in its environment, and what
# belongs to its session.
sub all_pids {
    my ($self) = @_;
    my @found;
    opendir my $dir, '/proc' or die "/proc: $!\n";
    for my $pid (grep { /^\d+$/ } readdir $dir) {
        next if $pid == $$;
        my @stat = stat_fields($pid) or next;
        next if $stat[0] eq 'Z';
        my $mine = ($self->{forked} && $stat[3] == $self->{forked})
            || ("\0" . slurp("/proc/$pid/environ"))
               =~ /\0\Q@{[MARK]}=$self->{root}\E\0/;
        push @found, $pid + 0 if $mine;
    }
    return sort { $a <=> $b } @found;
}

# ---- stopping and restarting ---------------------------------------------

sub signal {
    my ($self, $signal) = @_;
    die "$self->{name} does not run\n" unless $self->{pid};
    return kill $signal, $self->{pid};
}

# A restart is over when httpd has said so.
sub restart_by {
    my ($self, $signal, $word) = @_;
    my $before = -s $self->log_file // 0;
    $self->signal($signal);
    return wait_until(sub {
        $self->reap;
        $self->log_text($before) =~ /resuming normal operations/;
    }, START_SEC, "$self->{name}: $word");
}

sub graceful { return $_[0]->restart_by('USR1', 'graceful restart') }
sub restart  { return $_[0]->restart_by('HUP', 'restart') }

sub reap {
    my ($self) = @_;
    return if $self->{detach} || !$self->{forked};
    if (waitpid($self->{forked}, WNOHANG) == $self->{forked}) {
        $self->{exit_status} = $?;
        delete $self->{forked};
        delete $self->{pid};
    }
    return;
}

sub is_running {
    my ($self) = @_;
    my $is_alive = $self->{pid} && is_alive($self->{pid});
    $self->reap; # and whoever is not alive has an exit status from here on
    return $is_alive && defined $self->{pid};
}

# TERM to the parent, wait for all of them, KILL for what stays.  Returns what
# was left over, in words; nothing when all went well.
sub stop {
    my ($self) = @_;
    my @wrong;
    my @known = $self->all_pids;
    my $ran = $self->is_running;
    kill 'TERM', $self->{pid} if $ran;
    my $deadline = time + STOP_SEC;
    my (@left, $orphaned);
    while (1) {
        my $has_parent = $self->is_running; # before the look at who is left
        @left = $self->all_pids;
        last if !@left || time > $deadline;
        # Without a parent nobody else will end them.
        $orphaned //= time if !$has_parent;
        last if $orphaned
            && time > $orphaned + ($ran ? ORPHAN_SEC : LONELY_SEC);
        sleep POLL_SEC;
    }
    for my $pid (@left) {
        push @wrong, "process $pid (" . comm($pid) . ') stayed';
        kill 'CONT', $pid;
        kill 'KILL', $pid;
    }
    waitpid $self->{forked}, 0 if $self->{forked} && !$self->{detach};
    delete @$self{qw(pid forked)};
    if (@known && $self->{manager}) {
        push @wrong, 'the board file stayed' if -e $self->board_file;
        push @wrong, 'the data file stayed' if -e $self->data_file;
    }
    return @wrong;
}

# ---- asking ---------------------------------------------------------------

sub url { my ($self, $path) = @_; return "http://127.0.0.1:$self->{port}$path" }

sub agent {
    my ($self) = @_;
    return $self->{agent} //= LWP::UserAgent->new(
        timeout => 60, keep_alive => 0, max_redirect => 0);
}

sub request {
    my ($self, $method, $path, %headers) = @_;
    return $self->agent->request(
        HTTP::Request->new($method, $self->url($path), [%headers]));
}

sub get { my ($self, @rest) = @_; return $self->request('GET', @rest) }

# status.json, decoded; dies when it is not what it should be.  A process that
# is just being killed may take a request with it, which then is asked again.
sub json {
    my ($self, $path) = @_;
    my $answer;
    for my $try (1 .. ASK_TRIES) {
        $answer = $self->get($path // '/manager-status/status.json');
        last if ($answer->header('Client-Warning') // '')
            ne 'Internal response' || !$self->is_running;
        sleep POLL_SEC;
    }
    die 'status.json: ' . $answer->status_line . "\n"
        unless $answer->code == 200;
    # Asked for all the time: in Perl this takes 50 times as long.
    return Cpanel::JSON::XS->new->utf8->decode($answer->content);
}

# These bytes over a new connection, and the bytes that come back.
sub raw {
    my ($self, $bytes, $timeout) = @_;
    my $request = AMGR::Request->new($self->{port}, $bytes);
    $request->wait($timeout // 30);
    return $request->bytes;
}

# A request that goes on by itself.
sub start_request {
    my ($self, $path) = @_;
    return AMGR::Request->new($self->{port},
        "GET $path HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
}

# One of a file that is held until its body comes (let_go), and given up when it
# is closed.  In less than a Timeout.
sub hold_request {
    my ($self, $path) = @_;
    return AMGR::Request->new($self->{port}, "GET $path HTTP/1.1\r\n"
        . "Host: 127.0.0.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\n");
}

# ---- the log --------------------------------------------------------------

sub log_file { return $_[0]->path('logs/error.log') }

sub log_text {
    my ($self, $from) = @_;
    open my $fh, '<:raw', $self->log_file or return '';
    seek $fh, $from // 0, SEEK_SET;
    local $/;
    return scalar(<$fh>) // '';
}

# From here on log_lines() counts.
sub mark_log { my ($self) = @_; return $self->{mark} = -s $self->log_file // 0 }

sub log_lines {
    my ($self, $pattern) = @_;
    my @lines = split /\n/, $self->log_text($self->{mark});
    return defined $pattern ? grep { /$pattern/ } @lines : @lines;
}

# Lines that this test provokes: [warn] and above that are not listed fail.
sub expect_log {
    my ($self, @patterns) = @_;
    push @{ $self->{expected} }, @patterns;
    return $self;
}

# httpd's own words that mean nothing here.
my @harmless = (
    qr/AH00098: pid file .* overwritten/,
    qr/AH00045: child process \d+ still did not exit, sending a SIGTERM/,
    qr/AH10159: server is within MinSpareThreads/,
    qr/AH00484: server reached MaxRequestWorkers/,
    qr/AH00161: server reached MaxRequestWorkers/,
    qr/AH00286: server reached MaxRequestWorkers/,
    qr/AH00287: server is within MinSpareThreads of MaxRequestWorkers/,
    qr/AH00288: scoreboard is full|AH03490: scoreboard is full/,
    # A child of event that is told to end closes what its threads still use.
    qr/\(9\)Bad file descriptor: AH03092: process_lingering_close/,
    # One that was forked as a restart began may end when httpd has closed the
    # account of its generation.
    qr/AH00546: no record of generation \d+ of exiting child/,
    # It is remarkable to httpd that children end by a signal.
    qr/AH1039[23]: children are killed successively/,
    qr/mod_wsgi \(pid=\d+\): .*(?:Aborting|Shutdown|deadlock)/,
);

sub bad_log_lines {
    my ($self) = @_;
    my @bad;
    for my $line (split /\n/, $self->log_text(0)) {
        my $severe = $line =~ /\[[^\]]*:(?:warn|error|crit|alert|emerg)\]/
            || $line =~ /exit signal|Sanitizer|runtime error:/;
        next unless $severe;
        next if grep { $line =~ $_ } @harmless, @{ $self->{expected} };
        push @bad, $line;
    }
    my $out = slurp($self->path('logs/output.log'));
    push @bad, grep { /Sanitizer|runtime error:|\*\*\*/ } split /\n/, $out;
    return @bad;
}

# Stop, and one test: nothing is left and nothing unexpected was logged.
sub stop_ok {
    my ($self, $name) = @_;
    my $test = Test::Builder->new;
    my $ran = $self->is_running;
    my @wrong = $self->stop;
    push @wrong, 'it was not running any more' unless $ran;
    push @wrong, map { "logged: $_" } $self->bad_log_lines;
    push @wrong, untagged($self->log_text(0));
    my $ok = $test->ok(!@wrong, $name // "$self->{name}: a clean end");
    $test->diag($_) for @wrong;
    $self->diag_if_failed;
    $self->{shown}++; # whatever fails later is not its affair
    return $ok;
}

# Whatever this module logs at warning or above carries its tag.
sub untagged {
    my ($text) = @_;
    return map { "without a tag: $_" }
        grep { /\[apache_manager:(?:warn|error|crit|alert|emerg)\]/
               && !/ AMGR\d{4}: / } split /\n/, $text;
}

# The end of the log of a server under which a test failed; a few of them.
sub diag_log {
    my ($self) = @_;
    return if $self->{shown}++ || $shown >= LOGS_SHOWN;
    $shown++;
    my @all = split /\n/, $self->log_text(0);
    my $from = @all > LOG_LINES ? @all - LOG_LINES : 0;
    my $test = Test::Builder->new;
    $test->diag("error log of $self->{name}:");
    $test->diag("  $_") for @all[$from .. $#all];
    return;
}

sub failures { return scalar grep { !$_ } Test::Builder->new->summary }

sub diag_if_failed {
    my ($self) = @_;
    $self->diag_log if failures() > $self->{failures};
    return;
}

# ---- helpers --------------------------------------------------------------

# Polls until the sub returns something true, which is returned; undef after
# the time, with a word about it.
sub wait_until {
    my ($condition, $timeout, $what) = @_;
    my $begun = time;
    my $deadline = $begun + $timeout;
    while (1) {
        my $value = $condition->();
        return $value if $value;
        last if time > $deadline;
        my $pause = (time - $begun) / 20;
        sleep($pause < POLL_SEC ? POLL_SEC
              : $pause > POLL_MAX_SEC ? POLL_MAX_SEC : $pause);
    }
    Test::Builder->new->diag(sprintf 'waited %g s in vain: %s', $timeout,
                             $what // 'a condition');
    return;
}

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or return '';
    local $/;
    return scalar(<$fh>) // '';
}

sub DESTROY { return }

END {
    if ($$ == $owner) {
        my $status = $?;
        $SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE);
        my $test = Test::Builder->new;
        for my $server (values %servers) {
            my $runs = $server->is_running;
            $server->diag_log if $status && $runs;
            $server->diag_if_failed;
            $server->stop if $runs || $server->{forked} || $server->{detach};
            if ($ENV{AMGR_KEEP}) {
                $test->diag("kept: $server->{root}");
            }
            else {
                Apache::TestUtil::t_rmtree($server->{root});
            }
        }
        $? = $status;
    }
}

1;
