-- Mattermost's tables of a channel, as its migrations make them (without the full text indexes), with 200 direct channels: 1 to 150 idle.
CREATE TABLE channels (
  id varchar(26) PRIMARY KEY, createat bigint, updateat bigint, deleteat bigint, teamid varchar(26), type varchar(1), displayname varchar(64), name varchar(64), header varchar(1024),
  purpose varchar(250), lastpostat bigint, totalmsgcount bigint, extraupdateat bigint, creatorid varchar(26), schemeid varchar(26), groupconstrained boolean, shared boolean,
  totalmsgcountroot bigint, lastrootpostat bigint DEFAULT 0, UNIQUE (name, teamid));
CREATE INDEX idx_channels_update_at ON channels (updateat);
CREATE INDEX idx_channels_delete_at ON channels (deleteat);
CREATE INDEX idx_channels_create_at ON channels (createat);
CREATE TABLE channelmembers (
  channelid varchar(26) NOT NULL, userid varchar(26) NOT NULL, roles varchar(64), lastviewedat bigint, msgcount bigint, mentioncount bigint, notifyprops jsonb, lastupdateat bigint,
  schemeuser boolean, schemeadmin boolean, schemeguest boolean, mentioncountroot bigint, msgcountroot bigint, PRIMARY KEY (channelid, userid));
CREATE INDEX idx_channelmembers_user_id ON channelmembers (userid);
CREATE TABLE posts (
  id varchar(26) PRIMARY KEY, createat bigint, updateat bigint, deleteat bigint, userid varchar(26), channelid varchar(26), rootid varchar(26), originalid varchar(26), message varchar(65535),
  type varchar(26), props jsonb, hashtags varchar(1000), filenames varchar(4000), fileids varchar(300), hasreactions boolean, editat bigint, ispinned boolean, remoteid varchar(26));
CREATE INDEX idx_posts_update_at ON posts (updateat);
CREATE INDEX idx_posts_create_at ON posts (createat);
CREATE INDEX idx_posts_delete_at ON posts (deleteat);
CREATE INDEX idx_posts_root_id_delete_at ON posts (rootid, deleteat);
CREATE INDEX idx_posts_user_id ON posts (userid);
CREATE INDEX idx_posts_channel_id_update_at ON posts (channelid, updateat);
CREATE INDEX idx_posts_channel_id_delete_at_create_at ON posts (channelid, deleteat, createat);
CREATE TABLE reactions (
  userid varchar(26) NOT NULL, postid varchar(26) NOT NULL, emojiname varchar(64) NOT NULL, createat bigint, updateat bigint, deleteat bigint, remoteid varchar(26), channelid varchar(26) NOT NULL DEFAULT '',
  PRIMARY KEY (postid, userid, emojiname));
CREATE TABLE fileinfo (
  id varchar(26) PRIMARY KEY, creatorid varchar(26), postid varchar(26), createat bigint, updateat bigint, deleteat bigint, path varchar(512), thumbnailpath varchar(512), previewpath varchar(512),
  name varchar(256), extension varchar(64), size bigint, mimetype varchar(256), width int, height int, haspreviewimage boolean, minipreview bytea, content text, remoteid varchar(26));
CREATE INDEX idx_fileinfo_postid_at ON fileinfo (postid);
CREATE TABLE threads (postid varchar(26) PRIMARY KEY, replycount bigint, lastreplyat bigint, participants jsonb, channelid varchar(26), threaddeleteat bigint, threadteamid varchar(26));
CREATE INDEX idx_threads_channel_id_last_reply_at ON threads (channelid, lastreplyat);
CREATE TABLE threadmemberships (
  postid varchar(26) NOT NULL, userid varchar(26) NOT NULL, following boolean, lastviewed bigint, lastupdated bigint, unreadmentions bigint, PRIMARY KEY (postid, userid));

INSERT INTO channels (id, createat, updateat, deleteat, teamid, type, displayname, name, lastpostat, totalmsgcount, creatorid)
SELECT 'channel' || n, at, at, 0, '', 'D', '', 'a__b' || n, at, 3, 'user' || n % 5
FROM (SELECT n, (extract(epoch FROM now() - CASE WHEN n <= 150 THEN n + 99 ELSE 1 END * interval '1 day') * 1000)::bigint AS at FROM generate_series(1, 200) AS n) AS t;
INSERT INTO channelmembers (channelid, userid, notifyprops, lastupdateat) SELECT id, u, '{"desktop": "default"}', createat FROM channels, unnest(ARRAY['a', 'b']) AS u;
INSERT INTO posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, props, hasreactions)
SELECT id || 'p' || i, createat + i, createat + i, 0, 'a', id, CASE WHEN i > 1 THEN id || 'p1' ELSE '' END, '', 'Hello 😀 ' || i, '', '{"disable_group_highlight": true}', i = 1 FROM channels, generate_series(1, 3) AS i;
INSERT INTO reactions SELECT 'b', id, '+1', createat, createat, 0, '', channelid FROM posts WHERE rootid = '';
INSERT INTO fileinfo (id, creatorid, postid, createat, updateat, deleteat, path, name, minipreview) SELECT 'f' || id, 'a', id, createat, createat, 0, 'x/y', 'a.png', '\x00ff' FROM posts WHERE rootid = '';
INSERT INTO threads SELECT id, 2, createat + 2, '["a"]', channelid, 0, '' FROM posts WHERE rootid = '';
INSERT INTO threadmemberships SELECT postid, 'a', true, lastreplyat, lastreplyat, 0 FROM threads;
