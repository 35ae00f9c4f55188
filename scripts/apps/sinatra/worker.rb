$stdout.sync = true
stopped = false
trap('TERM') { stopped = true }
jobs = 0
until stopped
  puts "worker of #{ENV['AORTA_RELEASE']} did job #{jobs += 1}"
  sleep 1
end
puts 'worker stops'
