require 'sinatra'

VERSION = File.read('version').strip
set :host_authorization, permitted_hosts: [] # of the versions that have it

get '/' do
  content_type :text
  "sinatra v#{VERSION} says #{ENV['GREETING']} from #{ENV['HOSTNAME']}\n"
end
